//! An example for each verb and function: a whole scenario that runs to its end. Tests run all of them.

/// The example for a word.
pub(super) fn example(word: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(known, _)| *known == word).map(|(_, text)| *text)
}

const EXAMPLES: &[(&str, &str)] = &[
    (
        "send",
        "processes:\n  P1:\n    - send: hello\n      to: P2\n  P2:\n    - receive: m\n      from: P1\n",
    ),
    (
        "receive",
        "processes:\n  P1:\n    - receive: m\n      from: P2\n      wait: 5ms\n      when: {timed-out: [{log: nothing came}]}\n    - log: done\n  P2:\n    - send: hello\n      to: P1\n",
    ),
    (
        "call",
        "processes:\n  client:\n    - call: 6\n      to: server\n      into: answer\n    - log: ${answer.body}\n  server:\n    daemon: true\n    do:\n      - forever:\n          - receive: request\n            from: anyone\n          - reply: ${request.body * 7}\n            to: ${request}\n",
    ),
    (
        "reply",
        "processes:\n  client:\n    - call: ping\n      to: server\n      into: answer\n  server:\n    - receive: request\n      from: client\n    - reply: pong\n      to: ${request}\n",
    ),
    (
        "select",
        "mailboxes: {urgent: {capacity: 1}, other: {capacity: 1}}\nprocesses:\n  P1:\n    - select: ready\n      among: [urgent, other]\n    - receive: m\n      from: ${ready[0]}\n  P2:\n    - send: hello\n      to: other\n",
    ),
    ("sleep", "processes:\n  P:\n    - sleep: 5ms\n    - sleep: 1ms..2ms\n"),
    ("yield", "processes:\n  P: [yield]\n  Q: [yield]\n"),
    ("exit", "processes:\n  P:\n    - exit: 0\n"),
    (
        "spawn",
        "processes:\n  parent:\n    - spawn: child\n      with: {n: 3}\n      do:\n        - log: ${n}\n",
    ),
    (
        "fault",
        "ports: {handler: {receive: doctor}}\nprocesses:\n  P:\n    exception-port: handler\n    do:\n      - fault: trouble\n      - log: it goes on\n  doctor:\n    - receive: e\n      from: handler\n    - reply: resume\n      to: ${e}\n",
    ),
    (
        "kill",
        "processes:\n  P:\n    - kill: Q\n  Q:\n    daemon: true\n    do: [{forever: [{sleep: 1ms}]}]\n",
    ),
    (
        "suspend",
        "processes:\n  P:\n    - suspend: Q\n    - sleep: 1ms\n    - resume: Q\n  Q: [{compute: 5us}]\n",
    ),
    ("resume", "processes:\n  P:\n    - suspend: Q\n    - resume: Q\n  Q: [{compute: 5us}]\n"),
    (
        "interrupt",
        "processes:\n  P:\n    - sleep: 1ms\n    - interrupt: Q\n  Q:\n    - receive: m\n      from: P\n      when: {interrupted: [{log: woken}]}\n",
    ),
    (
        "thread",
        "processes:\n  P:\n    - set: {x: 1}\n    - thread: worker\n      do:\n        - log: ${x}\n    - join: worker\n",
    ),
    (
        "join",
        "processes:\n  P:\n    - thread: worker\n      do: [{compute: 5us}]\n    - join: worker\n",
    ),
    (
        "create",
        "processes:\n  P:\n    - create: box\n      kind: mailbox\n      capacity: 2\n    - send: hello\n      to: ${box}\n    - receive: m\n      from: ${box}\n",
    ),
    (
        "destroy",
        "processes:\n  P:\n    - create: box\n      kind: mailbox\n    - destroy: ${box}\n",
    ),
    (
        "drop",
        "ports: {p: {receive: Q, send: [P]}}\nprocesses:\n  P:\n    - drop: p\n  Q: [yield]\n",
    ),
    ("limit", "ports: {p: {receive: P}}\nprocesses:\n  P:\n    - limit: p\n      capacity: 10\n"),
    (
        "insert",
        "ports: {p: {receive: P}}\nport-sets: {all: {of: P}}\nprocesses:\n  P:\n    - insert: p\n      into: all\n",
    ),
    (
        "remove",
        "ports: {p: {receive: P}}\nport-sets: {all: {of: P, members: [p]}}\nprocesses:\n  P:\n    - remove: p\n      out-of: all\n",
    ),
    (
        "watch",
        "ports: {p: {receive: P, send: [Q]}, told: {receive: P}}\nprocesses:\n  P:\n    - watch: p\n      until: no-senders\n      notify: told\n    - receive: notice\n      from: told\n  Q:\n    - drop: p\n",
    ),
    (
        "register",
        "names: {root: {}}\nports: {p: {receive: server}}\nprocesses:\n  server:\n    - register: p\n      as: printer\n    - receive: m\n      from: p\n  client:\n    - lookup: printer\n      into: printer\n      wait: forever\n    - send: a page\n      to: ${printer}\n",
    ),
    (
        "unregister",
        "names: {root: {}}\nports: {p: {receive: server}}\nprocesses:\n  server:\n    - register: p\n      as: printer\n    - unregister: printer\n",
    ),
    (
        "lookup",
        "names: {root: {}}\nports: {p: {receive: server}}\nprocesses:\n  server:\n    - register: p\n      as: printer\n    - receive: m\n      from: p\n  client:\n    - lookup: printer\n      into: printer\n      wait: forever\n    - send: a page\n      to: ${printer}\n",
    ),
    (
        "open",
        "mailboxes: {jobs: {capacity: 3}}\nfiles:\n  /srv/printer: {mailbox: jobs, mode: \"0666\"}\nprocesses:\n  P:\n    - open: /srv/printer\n      into: printer\n      mode: write\n    - send: a page\n      to: ${printer}\n",
    ),
    (
        "fork",
        "processes:\n  parent:\n    - allocate: buf\n      size: 4KiB\n      value: before\n    - fork: child\n      do:\n        - write: buf\n          value: after\n    - receive: end\n      from: child\n      when:\n        dead: []\n    - read: buf\n      into: x\n    - assert: x == \"before\"\n",
    ),
    (
        "exec",
        "programs:\n  editor:\n    with: {file: none}\n    do:\n      - log: edits ${file}\nprocesses:\n  shell:\n    - exec: editor\n      with: {file: a letter}\n",
    ),
    (
        "close",
        "processes:\n  P:\n    - create: r\n      kind: pipe\n      write-end: w\n    - send: hello\n      to: ${w}\n    - close: ${w}\n    - receive: m\n      from: ${r}\n    - receive: end\n      from: ${r}\n    - assert: end.size == 0\n",
    ),
    (
        "duplicate",
        "processes:\n  P:\n    - create: r\n      kind: pipe\n      write-end: w\n    - duplicate: ${w}\n      into: other\n    - close: ${w}\n    - send: hello\n      to: ${other}\n",
    ),
    (
        "allocate",
        "mailboxes: {box: {capacity: 1}}\nprocesses:\n  P:\n    - allocate: buf\n      size: 8KiB\n      value: 7\n    - send: here\n      to: box\n      memory: {region: buf, transfer: move}\n  Q:\n    - receive: m\n      from: box\n    - read: ${m.memory}\n      into: x\n    - assert: x == 7\n",
    ),
    ("free", "processes:\n  P:\n    - allocate: buf\n      size: 4KiB\n    - free: buf\n"),
    (
        "lock",
        "processes:\n  P:\n    - allocate: buf\n      size: 4KiB\n      value: 0\n    - thread: helper\n      do:\n        - lock: buf\n        - write: buf\n          value: 1\n        - unlock: buf\n    - lock: buf\n    - write: buf\n      value: 2\n    - unlock: buf\n",
    ),
    (
        "unlock",
        "processes:\n  P:\n    - allocate: buf\n      size: 4KiB\n    - lock: buf\n      wait: never\n    - unlock: buf\n",
    ),
    (
        "write",
        "processes:\n  P:\n    - allocate: buf\n      size: 16KiB\n    - write: buf\n      value: 0\n    - write: buf\n      value: 5\n      page: 2\n",
    ),
    (
        "read",
        "processes:\n  P:\n    - allocate: buf\n      size: 8KiB\n      value: 3\n    - read: buf\n      page: 1\n      into: x\n    - assert: x == 3\n",
    ),
    ("compute", "processes:\n  P:\n    - compute: 5us\n"),
    ("set", "processes:\n  P:\n    - set: {n: 1, list: '[1, 2]'}\n    - set: {n: 'n + list[0]'}\n"),
    ("log", "processes:\n  P:\n    - set: {n: 3}\n    - log: there are ${n}\n"),
    ("assert", "processes:\n  P:\n    - set: {n: 3}\n    - assert: n > 2 and n != 7\n"),
    (
        "if",
        "processes:\n  P:\n    - set: {n: 3}\n    - if: n > 2\n      then:\n        - log: large\n      else:\n        - log: small\n",
    ),
    ("repeat", "processes:\n  P:\n    - repeat: 3\n      do:\n        - log: again\n"),
    (
        "forever",
        "processes:\n  P:\n    - set: {n: 0}\n    - forever:\n        - set: {n: n + 1}\n        - if: n == 3\n          then: [break]\n",
    ),
    (
        "while",
        "processes:\n  P:\n    - set: {n: 0}\n    - while: n < 3\n      do:\n        - set: {n: n + 1}\n",
    ),
    (
        "for",
        "processes:\n  P:\n    - for: n\n      in: range(1, 3)\n      do:\n        - log: ${n}\n",
    ),
    ("break", "processes:\n  P:\n    - forever:\n        - log: once\n        - break\n"),
    (
        "continue",
        "processes:\n  P:\n    - for: n\n      in: range(1, 3)\n      do:\n        - if: n == 2\n          then: [continue]\n        - log: ${n}\n",
    ),
    (
        "choose",
        "processes:\n  P:\n    - choose:\n        - [{log: heads}]\n        - [{log: tails}]\n",
    ),
    // Functions.
    ("len", "processes:\n  P:\n    - assert: len([4, 5]) == 2\n    - assert: len(\"four\") == 4\n"),
    ("min", "processes:\n  P:\n    - assert: min(3, 5) == 3\n    - assert: min([7, 2]) == 2\n"),
    ("max", "processes:\n  P:\n    - assert: max(3, 5) == 5\n    - assert: max([7, 2]) == 7\n"),
    ("push", "processes:\n  P:\n    - set: {list: 'push([1], 2)'}\n    - assert: list == [1, 2]\n"),
    (
        "pop-first",
        "processes:\n  P:\n    - set: {list: '[1, 2]'}\n    - set: {first: 'list[0]', list: pop-first(list)}\n    - assert: list == [2]\n",
    ),
    ("count", "processes:\n  P:\n    - assert: count([true, false, true]) == 2\n"),
    ("all", "processes:\n  P:\n    - assert: all([true, true])\n"),
    ("any", "processes:\n  P:\n    - assert: any([false, true])\n"),
    (
        "random",
        "processes:\n  P:\n    - set: {die: 'random(1, 6)'}\n    - assert: die >= 1 and die <= 6\n",
    ),
    ("range", "processes:\n  P:\n    - assert: range(1, 3) == [1, 2, 3]\n"),
    ("now", "processes:\n  P:\n    - sleep: 5ms\n    - assert: now() >= 5ms\n"),
    (
        "task-of",
        "processes:\n  P:\n    daemon: true\n    do:\n      - send: control me\n        to: Q\n        rights: [{port: \"${task-of(me)}\", as: copy-send}]\n      - forever: [{sleep: 1ms}]\n  Q:\n    - receive: m\n      from: P\n    - send: kill\n      to: ${m.rights[0]}\n",
    ),
    (
        "thread-of",
        "processes:\n  P:\n    daemon: true\n    do:\n      - send: control me\n        to: Q\n        rights: [{port: \"${thread-of(P)}\", as: copy-send}]\n      - forever: [{sleep: 1ms}]\n  Q:\n    - receive: m\n      from: P\n    - send: kill\n      to: ${m.rights[0]}\n",
    ),
    (
        "refs",
        "ports: {p: {receive: Q, send: [P]}}\nprocesses:\n  P:\n    - set: {n: refs(p)}\n    - assert: n == 1\n  Q: [yield]\n",
    ),
    (
        "rights-of",
        "ports: {p: {receive: Q, send: [P]}}\nprocesses:\n  P:\n    - set: {all: rights-of(p)}\n    - assert: len(all) == 1\n  Q: [yield]\n",
    ),
];
