/* A ring, each sends to the next and receives from the one before, four times. */
chan box[8] = [1] of { bit };

active [8] proctype node() {
    byte n;
    for (n : 1 .. 4) {
        box[(_pid + 1) % 8]!1;
        box[_pid]?1
    }
}
