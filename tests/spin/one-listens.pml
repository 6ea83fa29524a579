/* buffering/mutual-send-reorder: one of them receives first. */
#define BOXES 2
#define THREADS 2
#include "kernel.pml"

active proctype P1() { send(0); receive(1); finish() }
active proctype P2() { receive(0); send(1); finish() }
