/* buffering/mutual-send: both send before they receive. */
#define BOXES 2
#define THREADS 2
#include "kernel.pml"

active proctype P1() { send(0); receive(1); finish() }
active proctype P2() { send(1); receive(0); finish() }
