/* Producers and consumers on one mailbox. */
chan shelf = [2] of { bit };

active [4] proctype producer() {
    byte n;
    for (n : 1 .. 3) { shelf!1 }
}
active [4] proctype consumer() {
    byte n;
    for (n : 1 .. 3) { shelf?1 }
}
