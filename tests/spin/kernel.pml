/* The part of the kernel that the twins need: mailboxes with one sender and one receiver each.

   A call is one step, also where it blocks; whoever ends the wait completes the call, and the next step of
   the one who waited is its next call. So a state here is a state there, and both count the same. */

#ifndef CAP
#define CAP 0
#endif

byte stored[BOXES];     /* how many messages each holds */
byte sender[BOXES];     /* who is blocked sending there, from 1 */
byte receiver[BOXES];   /* who is blocked receiving there, from 1 */
bool waits[THREADS];
byte ended;

inline send(box) {
    d_step {
        !waits[_pid] ->
        if
        :: receiver[box] -> waits[receiver[box] - 1] = false; receiver[box] = 0
        :: else ->
            if
            :: stored[box] < CAP -> stored[box]++
            :: else -> sender[box] = _pid + 1; waits[_pid] = true
            fi
        fi
    }
}

inline receive(box) {
    d_step {
        !waits[_pid] ->
        if
        :: stored[box] ->
            /* The message of a blocked sender moves up. */
            if
            :: sender[box] -> waits[sender[box] - 1] = false; sender[box] = 0
            :: else -> stored[box]--
            fi
        :: else ->
            if
            :: sender[box] -> waits[sender[box] - 1] = false; sender[box] = 0
            :: else -> receiver[box] = _pid + 1; waits[_pid] = true
            fi
        fi
    }
}

/* To sleep is to block, and to wake up is a step of its own. */
inline nap() {
    d_step { !waits[_pid] -> waits[_pid] = true }
    d_step { waits[_pid] -> waits[_pid] = false }
}

inline finish() {
    d_step { !waits[_pid] -> ended++ }
    end: false
}
