/* One server with a box of capacity 2, identical clients of three requests and replies each. */
#ifndef CLIENTS
#define CLIENTS 5
#endif
chan box = [2] of { byte };
chan reply[CLIENTS] = [1] of { bit };

active [CLIENTS] proctype client() {
    byte n;
    for (n : 1 .. 3) {
        box!_pid;
        reply[_pid]?1
    }
}
active proctype server() {
    byte who;
end: do
    :: box?who -> reply[who]!1
    od
}
