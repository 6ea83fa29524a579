/* buffering/late-crossing: three greetings go well. */
#define BOXES 2
#define THREADS 2
#include "kernel.pml"

active proctype P1() {
    send(0); receive(1); send(0); receive(1); send(0); receive(1);
    send(0); receive(1); finish()
}
active proctype P2() {
    receive(0); send(1); receive(0); send(1); receive(0); send(1);
    send(1); receive(0); finish()
}
