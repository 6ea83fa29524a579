/* rendezvous/rendezvous: one sends, one receives. */
#define BOXES 1
#define THREADS 2
#include "kernel.pml"

active proctype P1() { send(0); finish() }
active proctype P2() { receive(0); finish() }
