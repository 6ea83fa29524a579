/* Senders that share kernel memory: 96 bytes for messages of 24. */
byte used;
chan box[4] = [4] of { bit };

active [4] proctype sender() {
    byte n;
    for (n : 1 .. 4) {
        atomic { used < 4 && nfull(box[_pid]) -> used++; box[_pid]!1 }
    }
}
active [4] proctype reader() {
    byte n;
    for (n : 1 .. 4) {
        atomic { box[_pid - 4]?1 -> used-- }
    }
}
