"""The code ahead of a thread."""
from exceptions import behind
from reading import successors
from values import Message


def gives_away(instruction):
    """Does a receive right go with this message?"""
    return any(one['as'] == 'move-receive' for one in instruction.keys.get('rights', ()))


def holds(value, request):
    """Is the value this request, or a list with it?"""
    if isinstance(value, Message):
        return value.request == request
    return isinstance(value, tuple) and any(holds(part, request) for part in value)


def start(thread):
    """Where the code ahead of a thread begins, as if its own wait were over."""
    if thread.mode == 'wait' and thread.wait[0] == 'fault':
        return [behind(thread)]
    if thread.mode == 'wait':
        return successors(thread.code, thread.place)
    return [thread.place]


def code_ahead(state, key):
    """The instructions ahead of this thread, and those of the threads that it starts on the way."""
    thread = state.threads[key]
    found, todo = set(), list(start(thread))
    while todo:
        place = todo.pop()
        if place not in found:
            found.add(place)
            todo += successors(thread.code, place)
    ahead = [thread.code[place] for place in sorted(found)]
    started = [instruction.code for instruction in ahead if instruction.op == 'thread']
    while started:
        code = started.pop()
        ahead += [one for one in code if one.op != 'end']
        started += [one.code for one in code if one.op == 'thread']
    return ahead
