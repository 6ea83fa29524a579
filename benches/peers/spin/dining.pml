/* Dining philosophers, a fork is a process that lends itself out. */
chan left[4] = [0] of { bit };
chan right[4] = [0] of { bit };

active [4] proctype philosopher() {
    byte n;
    for (n : 1 .. 2) {
        left[_pid]!1;
        right[(_pid + 1) % 4]!1;
        left[_pid]!1;
        right[(_pid + 1) % 4]!1
    }
}
active [4] proctype fork() {
end: do
    :: left[_pid - 4]?1 -> left[_pid - 4]?1
    :: right[_pid - 4]?1 -> right[_pid - 4]?1
    od
}
