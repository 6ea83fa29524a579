/* buffering/partial-deadlock: the same beside a clock that ticks for ever. */
#define BOXES 2
#define THREADS 3
#include "kernel.pml"

active proctype clock() { end: do :: nap() od }
active proctype P1() { send(0); receive(1); finish() }
active proctype P2() { send(1); receive(0); finish() }
