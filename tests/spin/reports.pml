/* buffering/capacity-not-enough: three reports each, before either listens. */
#define BOXES 2
#define THREADS 2
#include "kernel.pml"

active proctype P1() {
    send(0); send(0); send(0); receive(1); receive(1); receive(1); finish()
}
active proctype P2() {
    send(1); send(1); send(1); receive(0); receive(0); receive(0); finish()
}
