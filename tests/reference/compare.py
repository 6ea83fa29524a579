#!/usr/bin/env python3
"""Compares the reference with ipcsim on random scenarios.

    compare.py PROFILES FROM TO [--reduced] [--shallow] [--no-minimise]
    compare.py --files FILES [--reduced] [--shallow] [--no-minimise]

PROFILES is `all`, or names with commas between; scenarios FROM to TO - 1 of each. The program is `ipcsim` on the path,
or what $IPCSIM names; $LIMIT seconds stop it. --reduced lets it leave out schedules in small spaces, too. --shallow leaves out claims, threads, replays and runs. A scenario with
a difference is made smaller while the difference stays, and printed. The last line says `N passed, M failed`.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import claims
import generate
import reference
from minimise import minimise

PROGRAM = os.environ.get('IPCSIM', 'ipcsim')
# With `--reduced`, schedules are left out in small spaces, too; but not by symmetry: who is blocked is compared by name.
WAYS = ['--reduce-above', '0', '--no-symmetry'] if '--reduced' in sys.argv else []
STATES = int(os.environ.get('STATES', '4000'))      # larger scenarios are not compared
OUTCOMES = ('completes', 'fails', 'deadlock', 'stranded', 'livelock', 'unfinished')


class Skip(Exception):
    """This scenario is not compared, and why."""


def program(*arguments):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def program_json(*arguments):
    """(exit code, the scenario of the JSON that the program prints)"""
    code, out, error = program(*arguments, '--format', 'json')
    if code == 2:
        why = next((line for line in error.split('\n') if line.startswith('error')), error[:80])
        raise Skip('load error: ' + why)
    if not out.strip():
        return code, {'nothing': error[:300]}
    return code, json.loads(out)['scenarios'][0]


class File:
    """A scenario in a file, for a while."""
    def __init__(self, document):
        self.text = generate.dump(document)

    def __enter__(self):
        handle, self.path = tempfile.mkstemp(suffix='.yaml')
        os.write(handle, self.text.encode())
        os.close(handle)
        return self.path

    def __exit__(self, *_):
        os.unlink(self.path)


def think(document, visible):
    """What the reference finds."""
    try:
        return reference.explore(yaml.safe_load(generate.dump(document)), visible, STATES)
    except reference.Ambiguous as why:
        raise Skip('ambiguous: ' + str(why))
    except reference.TooBig:
        raise Skip('too big')


def endings_of(schedules):
    """(outcome, blocked processes) of each way in which schedules end, as the program says."""
    return {(ending['outcome'], frozenset(blocked)) for ending in schedules['endings'] for blocked in ending['blocked']}


def plain(text):
    """A value as a log shows it. Results that would read the same the program shows in full: texts in quotes, and with
    a message who sent it."""
    text = re.sub(r'\((.*?) from [^()]*, priority [^()]*\)', r'\1', text)
    return re.sub(r'"([^"]*)"', r'\1', text)


def results_of(schedules):
    """The token of each result (variables, log). What differs only in what the reference does not show is one."""
    values = lambda pairs: ((name, plain(text)) for name, text in pairs)
    return {(frozenset(values(result['variables'])), tuple(values(result['log']))): result['token']
            for result in schedules.get('results', [])}


def shown(endings):
    return sorted(f'{outcome} {sorted(blocked)}' for outcome, blocked in endings)


def without_numbers(results):
    """Which number a mailbox gets that is made while running is not said anywhere."""
    return {(frozenset((name, re.sub(r'\bmailbox \d+', 'mailbox', value)) for name, value in variables), log)
            for variables, log in results}


def compare_results(schedules, wanted, found):
    """What the variables hold, and what was logged, in the end."""
    results = results_of(schedules)
    seen = {(frozenset(pair for pair in variables if pair[1] != 'none'), log) for variables, log in results}
    seen, expected = without_numbers(seen), without_numbers(wanted.results)
    if seen != expected:
        only = [(sorted(v), log) for v, log in sorted(expected - seen, key=str)[:2]]
        other = [(sorted(v), log) for v, log in sorted(seen - expected, key=str)[:2]]
        found.append(('results', 'only reference', only, 'only program', other))


def merged_if_unsure(mine, theirs):
    """Where the reference says `stuck`, deadlock and stranded are not told apart."""
    if not any(outcome == 'stuck' for outcome, _ in mine):
        return mine, theirs
    word = {'deadlock': 'stuck', 'stranded': 'stuck'}
    return tuple({(word.get(outcome, outcome), blocked) for outcome, blocked in one} for one in (mine, theirs))


def compare_explore(document, path, wanted, all_outcomes, found):
    """Outcomes, blocked sets, results and exit code of `explore`."""
    code, scenario = program_json('explore', path, '--threads', '1', '--max-states', '60000', *WAYS,
                                  *(['--all-outcomes'] if all_outcomes else []))
    where = '' if all_outcomes else 'merged-'
    schedules = scenario.get('schedules')
    if schedules is None:
        found.append((where + 'nothing', str(scenario)[:300]))
        return None
    if 'cut_off' in schedules or code == 3:
        raise Skip('not decided')
    if all_outcomes:
        compare_results(schedules, wanted, found)
    if wanted.unsure:
        if not found:
            raise Skip('only results compared: ' + wanted.unsure)
        return schedules
    # whoever may starve has no outcome of its own in the program
    mine, theirs = {one for one in wanted.endings if one[0] != 'starves'}, endings_of(schedules)
    reported = {outcome for outcome, _ in theirs}
    mine, theirs = merged_if_unsure(mine, theirs)
    if {outcome for outcome, _ in mine} != {outcome for outcome, _ in theirs}:
        found.append((where + 'outcomes', 'reference', shown(mine), 'program', shown(theirs)))
    elif mine != theirs:
        found.append((where + 'blocked', 'only reference', shown(mine - theirs), 'only program', shown(theirs - mine)))
    if set(schedules['outcomes']) != reported:
        found.append((where + 'json', schedules['outcomes'], shown(theirs)))
    if code != (0 if set(schedules['outcomes']) == {'completes'} and not schedules['starving'] else 1):
        found.append((where + 'exit-code', code, schedules['outcomes'], schedules['starving']))
    return schedules


def compare_threads(path, found):
    """One thread and two, byte for byte."""
    outputs = [program('explore', path, '--all-outcomes', '--threads', number, '--format', kind)
               for kind in ('json', 'human') for number in ('1', '2')]
    if outputs[0] != outputs[1] or outputs[2] != outputs[3]:
        found.append(('threads', 'one and two threads differ'))


def compare_verdicts(path, asked, expected, kind, found):
    """Do exactly those claims hold of which it is expected? Gives what the program says of the scenario."""
    code, scenario = program_json('test', path, *WAYS)
    got = [claim['verdict'] for claim in scenario.get('claims', [])]
    held = [verdict in ('holds', 'holds-in-vain') for verdict in got]
    if WAYS and 'undecided' in got:
        # A reduced search does not judge schedules that go on for ever.
        held = [want if verdict == 'undecided' else here for here, verdict, want in zip(held, got, expected)]
        code = 0 if all(expected) else 1
    if held != expected:
        wrong = [(claim, verdict) for claim, verdict, here, want in zip(asked, got, held, expected) if here != want]
        found.append((kind, wrong[:3], scenario.get('nothing', '')))
    elif code != (0 if all(expected) else 1):
        found.append((kind + '-exit-code', code))
    return scenario


def compare_claims(document, merged, found):
    """some-schedule, every-schedule and never for each outcome, with and without the names."""
    asked, expected = [], []
    outcomes = merged.outcomes - {'starves'}
    for outcome in OUTCOMES:
        asked.append({'some-schedule': outcome})
        expected.append(outcome in outcomes)
        asked.append({'every-schedule': {'never': outcome}})
        expected.append(outcome not in outcomes)
        asked.append({'every-schedule': outcome})
        expected.append(outcomes == {outcome})
        sets = {blocked for this, blocked in merged.endings if this == outcome}
        if outcome != 'completes' and len(sets) == 1 and set().union(*sets):
            asked.append({'some-schedule': outcome, 'blocked': sorted(*sets)})
            expected.append(True)
    if {'starves', 'stuck'} & merged.outcomes:
        return
    with File(dict(document, expect=asked)) as path:
        scenario = compare_verdicts(path, asked, expected, 'claims', found)
        for claim in scenario.get('claims', [])[:6]:
            if claim.get('schedule') and claim['claim'].startswith('some-schedule'):
                token = claim['schedule']['token']
                replay = program('replay', path, token, '--format', 'jsonl')
                if replay[0] == 2:
                    found.append(('replay-claim', claim['claim'], replay[2][:200]))


def compare_conditions(document, found):
    """The claims of the scenario itself, `always` and `eventually`, each judged on its own."""
    asked, expected, skipped = [], [], ''
    plain = yaml.safe_load(generate.dump({key: value for key, value in document.items() if key != 'expect'}))
    for claim in document['expect']:
        try:
            expected.append(claims.judge(plain, claim, STATES))
            asked.append(claim)
        except reference.Ambiguous as why:
            skipped = 'ambiguous: ' + str(why)
        except reference.TooBig:
            skipped = 'too big'
    if not asked:
        raise Skip(skipped)
    with File(dict(document, expect=asked)) as path:
        compare_verdicts(path, asked, expected, 'condition', found)


def trace(text):
    """(what was logged, how processes ended) by a trace in JSON Lines."""
    log, ends = [], {}
    for line in text.split('\n'):
        if line.startswith('{'):
            event = json.loads(line)
            if event.get('event') == 'logged':
                log.append((event['thread'].split('.')[0], event['text']))
            if event.get('event') == 'process-ended':
                ends[event['object']] = event['outcome']
    return tuple(log), ends


def compare_replays(document, path, schedules, wanted, found):
    """Each token leads to what is claimed."""
    daemons = generate.has_key(document['processes'], 'daemon')
    for ending in schedules['endings']:
        code, out, error = program('replay', path, ending['witness']['token'], '--format', 'jsonl')
        if code == 2:
            found.append(('replay', ending['outcome'], error[:200]))
            continue
        log, ends = trace(out)
        failed = 'failed' in ends.values()
        if failed != (ending['outcome'] == 'fails') and not daemons:
            found.append(('replay-ends', ending['outcome'], sorted(ends.items())))
        if not ending['for_ever'] and log not in {result[1] for result in wanted.results}:
            found.append(('replay-log', ending['outcome'], log))
    for (_, log), token in list(results_of(schedules).items())[:4]:
        code, out, error = program('replay', path, token, '--format', 'jsonl')
        if code == 2:
            found.append(('replay-result', error[:200]))
        elif trace(out)[0] != log:
            found.append(('replay-result-log', token, trace(out)[0], log))


def compare_runs(document, path, wanted, merged, found):
    """Each run ends as some schedule ends."""
    draw = random.Random(generate.dump(document))
    endings = wanted.endings | merged.endings
    if any(outcome == 'stuck' for outcome, _ in endings):
        endings |= {(word, blocked) for outcome, blocked in endings if outcome == 'stuck' for word in ('deadlock', 'stranded')}
    outcomes = {outcome for outcome, _ in endings} - {'starves'}
    circular = wanted.circular or merged.circular
    for seed, scheduler, preempt in ((0, 'fifo', 'never'), (1, 'random', 'never'), (2, 'random', 'calls'),
                                     (3, 'round-robin', 'calls'), (4, 'priority', 'never'), (5, 'fifo', 'calls')):
        cpus = draw.choice([1, 1, 2, 3])
        flags = ['--seed', str(seed), '--set', f'kernel.scheduler={scheduler}', '--set', f'kernel.preempt={preempt}',
                 '--set', f'kernel.cpus={cpus}', '--max-steps', '100000']
        _, scenario = program_json('run', path, *flags)
        run = scenario.get('run')
        if run is None:
            found.append(('run', str(scenario)[:200]))
            continue
        about = (seed, scheduler, preempt, cpus, run['outcome'], run['blocked'])
        if run['outcome'] not in outcomes:
            if not (circular and run['outcome'] in ('unfinished', 'livelock')):
                found.append(('run-outcome', about, sorted(outcomes)))
        elif not circular and (run['outcome'], frozenset(run['blocked'])) not in endings:
            found.append(('run-blocked', about, shown(endings)))
        elif not circular:
            log, _ = trace(program('run', path, *flags, '--format', 'jsonl')[1])
            if log not in {result[1] for result in wanted.results}:
                found.append(('run-log', about, log))


def check(document, deep):
    """The list of differences; raises Skip where nothing can be compared."""
    found = []
    if 'expect' in document:
        compare_conditions(document, found)
        return found
    wanted = think(document, 'all')
    merged = think(document, set())
    with File(document) as path:
        schedules = compare_explore(document, path, wanted, True, found)
        compare_explore(document, path, merged, False, found)
        if deep and schedules:
            compare_threads(path, found)
            compare_replays(document, path, schedules, wanted, found)
            compare_runs(document, path, wanted, merged, found)
    if deep and schedules:
        compare_claims(document, merged, found)
    return found


SHALLOW = ('outcomes', 'blocked', 'results', 'exit-code', 'merged-outcomes', 'merged-blocked', 'merged-exit-code',
           'json')


def differs(kind, deep):
    """Is there a difference of this kind in a scenario?"""
    def here(document):
        try:
            return any(one[0] == kind for one in check(document, deep))
        except (Skip, subprocess.TimeoutExpired, LookupError, StopIteration, TypeError, AttributeError, ValueError):
            return False
    return here


def scenarios(arguments):
    """(profile, which, document) of all that are to be compared: of files, or random ones."""
    if arguments[0] == '--files':
        for path in arguments[1:]:
            with open(path) as file:
                document = yaml.safe_load(file)
            yield 'files', path, {key: value for key, value in document.items() if key not in ('expect', 'about')}
        return
    profiles = generate.PROFILES if arguments[0] == 'all' else arguments[0].split(',')
    for number in range(int(arguments[1]), int(arguments[2])):
        for profile in profiles:
            yield profile, number, generate.generate(number, profile)


def report(profile, which, document, found, deep, smaller):
    """Prints the differences, and a smaller scenario that has the first of them."""
    print(f'==== {profile} {which}')
    for one in found:
        print('  ', str(one)[:900])
    if smaller:
        kind = found[0][0]
        print(generate.dump(minimise(document, differs(kind, deep and kind not in SHALLOW))))
    sys.stdout.flush()


def main():
    flags = {'--shallow', '--no-minimise', '--reduced'} & set(sys.argv)
    deep, smaller = '--shallow' not in flags, '--no-minimise' not in flags
    failed, skipped, compared = 0, Counter(), Counter()
    until = time.time() + float(os.environ.get('LIMIT', '1e9'))
    arguments = [one for one in sys.argv[1:] if one not in flags]
    unknown = [one for one in arguments[1:] if one.startswith('--')]
    if unknown:
        sys.exit(f'what is {unknown[0]}?')
    for profile, which, document in scenarios(arguments):
        if time.time() > until:
            print('stopped at', profile, which)
            break
        try:
            found = check(document, deep)
        except Skip as why:
            skipped[str(why)] += 1
            continue
        except subprocess.TimeoutExpired:
            skipped['timeout'] += 1
            continue
        compared[profile] += 1
        if found:
            failed += 1
            report(profile, which, document, found, deep, smaller)
    for why, count in skipped.most_common():
        print('not compared:', count, why)
    for profile in compared:
        print('compared:', compared[profile], profile)
    print(f'{sum(compared.values()) - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
