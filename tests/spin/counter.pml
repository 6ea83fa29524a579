/* synchronization/send-waits: four plates over a counter, and the waiter walks after each. */
#define BOXES 1
#define THREADS 2
#include "kernel.pml"

active proctype kitchen() { send(0); send(0); send(0); send(0); finish() }
active proctype waiter() {
    receive(0); nap(); receive(0); nap(); receive(0); nap(); receive(0); nap(); finish()
}
