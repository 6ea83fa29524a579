/* buffering/ring: four nodes, each sends to the next before it receives. */
#define BOXES 4
#define THREADS 4
#include "kernel.pml"

active [4] proctype node() { send(_pid); receive((_pid + 3) % 4); finish() }
