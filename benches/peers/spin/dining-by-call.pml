/* Dining philosophers, a fork is a process that lends itself out. A call is one step, also where it blocks,
   and whoever ends the wait completes the call. Of two who ask for a fork the first in the file gets it. */
#define N 4
#define FORK (_pid - N)
#define LOW (FORK -> FORK - 1 : 0)
#define HIGH (FORK -> FORK : N - 1)

byte asks[N];      /* at which fork a philosopher is blocked, from 1 */
byte lent[N];      /* to whom a fork is lent, from 1 */
bool waits[N];     /* whether a fork is blocked */

inline send(fork) {
    d_step {
        !asks[_pid] ->
        if
        :: waits[fork] && !lent[fork] -> lent[fork] = _pid + 1; waits[fork] = false
        :: waits[fork] && lent[fork] == _pid + 1 -> lent[fork] = 0; waits[fork] = false
        :: else -> asks[_pid] = fork + 1
        fi
    }
}

active [N] proctype philosopher() {
    send(_pid); send((_pid + 1) % N); send(_pid); send((_pid + 1) % N);
    send(_pid); send((_pid + 1) % N); send(_pid); send((_pid + 1) % N);
    d_step { !asks[_pid] -> asks[_pid] = N + 1 }
end: false
}

active [N] proctype fork() {
end: do
    :: d_step {
        !waits[FORK] ->
        if
        :: lent[FORK] && asks[lent[FORK] - 1] == FORK + 1 -> asks[lent[FORK] - 1] = 0; lent[FORK] = 0
        :: !lent[FORK] && asks[LOW] == FORK + 1 -> asks[LOW] = 0; lent[FORK] = LOW + 1
        :: !lent[FORK] && asks[LOW] != FORK + 1 && asks[HIGH] == FORK + 1 ->
            asks[HIGH] = 0; lent[FORK] = HIGH + 1
        :: else -> waits[FORK] = true
        fi
    }
    od
}
