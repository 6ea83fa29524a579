//! What the variables hold in the end, and what was logged.

use std::collections::BTreeMap;
use std::fmt::Write;

use ipcsim_explore::{Exploration, FinalResult, Path};
use ipcsim_kernel::{Expr, Machine, Predicate, Probe, ProcessId, Register, Value};

use crate::units::{count, plural};
use crate::words::Names;

/// So many final results are listed.
const RESULTS: usize = 50;

/// A look at every variable of every thread, and what each is called.
pub fn all_variables(machine: &Machine) -> (Predicate, Vec<String>) {
    let names = Names::new(machine);
    let (mut probes, mut called) = (Vec::new(), Vec::new());
    for process in (0..machine.processes.len()).map(ProcessId::at) {
        for spec in &machine.family_of(process).threads {
            for index in 1..=spec.count {
                let who = names.thread_of(process, spec.name, index);
                let variables = machine.variables_at(spec.entry).iter().enumerate();
                for (at, variable) in variables {
                    let (thread, register) = (spec.name, Register::at(at));
                    probes.push(Probe::Variable { process, thread, index, register });
                    called.push(format!("{who}.{variable}"));
                }
            }
        }
    }
    (Predicate { probes, expr: Expr::Constant(Value::True) }, called)
}

/// A result in the end, in words.
pub struct ResultInWords {
    /// The variables that hold anything.
    pub held: Vec<(String, String)>,
    /// What was logged, and by whom.
    pub log: Vec<(String, String)>,
}

/// Results in words. Those that differ look different: where two would read the same, values are shown in full.
pub fn results_in_words(
    machine: &Machine,
    called: &[String],
    results: &[FinalResult],
) -> Vec<ResultInWords> {
    let names = Names::new(machine);
    let words = |result: &FinalResult, shown: &dyn Fn(&Value) -> String| ResultInWords {
        held: called
            .iter()
            .zip(&result.held)
            .filter(|(_, value)| **value != Value::None)
            .map(|(name, value)| (name.clone(), shown(value)))
            .collect(),
        log: result
            .log
            .iter()
            .map(|(who, text)| (machine.process_name(*who), shown(text)))
            .collect(),
    };
    let short = |value: &Value| names.value(value);
    let in_full = |value: &Value| names.value_in_full(value);
    let key = |words: &ResultInWords| (words.held.clone(), words.log.clone());
    let mut times: BTreeMap<_, u32> = BTreeMap::new();
    for result in results {
        *times.entry(key(&words(result, &short))).or_default() += 1;
    }
    let shown = results.iter().map(|result| {
        let plain = words(result, &short);
        if times[&key(&plain)] > 1 { words(result, &in_full) } else { plain }
    });
    shown.collect()
}

/// What the variables can hold when nothing moves any more, each result with a schedule to it.
pub fn final_results(
    found: &mut Exploration,
    predicate: &Predicate,
    called: &[String],
    replay: &dyn Fn(&mut Exploration, &Path) -> String,
) -> String {
    let results = found.results(predicate);
    let words = results_in_words(found.machine, called, &results);
    let mut out = format!("\n{} in the end\n", plural(results.len() as u64, "result"));
    for (words, result) in words.iter().zip(&results).take(RESULTS) {
        let held: Vec<String> =
            words.held.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let held =
            if held.is_empty() { "no variable holds anything".into() } else { held.join(", ") };
        let _ = writeln!(out, "  {held}");
        for (who, text) in &words.log {
            let _ = writeln!(out, "    {who} logs: {text}");
        }
        let path = found.path(result.state);
        let _ = writeln!(out, "    {}", replay(found, &path));
    }
    if results.len() > RESULTS {
        let _ = writeln!(out, "  and {} more", count((results.len() - RESULTS) as u64));
    }
    out
}
