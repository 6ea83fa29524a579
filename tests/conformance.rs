//! What real systems do, case by case: each is a few lines of YAML with the outcome that every step must have,
//! and says where that is written down. A case is named by the id that the sheet of semantics gives it.
//!
//! Every system call of a case goes on whatever its outcome is, and logs it; a receive logs what it got as well.
//! A thread that is left waiting ends its list with `waits`.

mod common;

use common::told;
use ipcsim_kernel::ThreadState;
use ipcsim_scenario::table::Verb;
use serde_yaml::{Mapping, Value};

/// Runs a case and compares what its processes logged.
fn check(file: &str, id: &str) {
    let cases: Mapping = serde_yaml::from_str(file).expect("the cases are YAML");
    let case = cases.get(id).unwrap_or_else(|| panic!("there is no case {id}"));
    let says = case["says"].as_str().expect("a case says what it is about");
    assert!(case.get("source").is_some(), "{id} names its source");
    let mut scenario = Mapping::new();
    for key in ["kernel", "mailboxes", "ports", "port-sets", "names", "files", "programs"] {
        if let Some(value) = case.get(key) {
            scenario.insert(key.into(), value.clone());
        }
    }
    let processes = case["processes"].as_mapping().expect("a case has processes");
    let told_by = processes.iter().map(|(name, steps)| (name.clone(), telling(steps)));
    scenario.insert("processes".into(), Value::Mapping(told_by.collect()));
    if let Some(Value::Mapping(programs)) = scenario.get("programs").cloned() {
        let told = programs.iter().map(|(name, steps)| (name.clone(), telling(steps)));
        let told = Value::Mapping(told.collect());
        scenario.insert("programs".into(), told);
    }
    let text = serde_yaml::to_string(&scenario).expect("a scenario can be written");
    let run = told(&text, &[]);
    let expected = case["expect"].as_mapping().expect("a case expects something");
    for (process, lines) in expected {
        let process = process.as_str().expect("a name");
        let lines: Vec<String> = lines.as_sequence().expect("a list").iter().map(shown).collect();
        assert_eq!(logged(&run, process), lines, "{id}: {says}\nat {process}, in\n{text}");
    }
}

/// Steps that go on whatever happens, and log what did.
fn telling(steps: &Value) -> Value {
    match steps {
        Value::Sequence(steps) => {
            let mut told = Vec::new();
            for step in steps {
                told.extend(telling_step(step));
            }
            Value::Sequence(told)
        }
        Value::Mapping(fields) => {
            let told = fields.iter().map(|(key, value)| match key.as_str() {
                Some("do" | "then" | "else" | "forever") => (key.clone(), telling(value)),
                Some("threads") => {
                    let threads = value.as_mapping().expect("threads by name").iter();
                    let threads = threads.map(|(name, steps)| (name.clone(), telling(steps)));
                    (key.clone(), Value::Mapping(threads.collect()))
                }
                _ => (key.clone(), value.clone()),
            });
            Value::Mapping(told.collect())
        }
        other => other.clone(),
    }
}

fn telling_step(step: &Value) -> Vec<Value> {
    let Value::Mapping(fields) = telling(step) else { panic!("a step is a mapping: {step:?}") };
    let verb = fields.keys().find_map(|key| Verb::find(key.as_str()?)).expect("a step has a verb");
    // Sleeping only puts the steps of a case in order.
    if !verb.is_call() || ["sleep", "yield", "exit"].contains(&verb.name()) {
        return vec![Value::Mapping(fields)];
    }
    let mut call = fields;
    let when =
        verb.word.outcomes().iter().map(|it| (it.word().into(), Value::Sequence(Vec::new())));
    if !verb.word.outcomes().is_empty() {
        call.insert("when".into(), Value::Mapping(when.collect()));
    }
    let line = match (verb.name(), call.get("receive").or(call.get("into")).and_then(Value::as_str))
    {
        ("receive" | "call", Some(variable)) => {
            let got = format!("ok ${{{variable}.type}} ${{{variable}.body}}");
            let yes = yaml(&format!("[{{log: '{got}'}}]"));
            let mut choice = Mapping::new();
            choice.insert("if".into(), "status == \"ok\"".into());
            choice.insert("then".into(), yes);
            choice.insert("else".into(), yaml("[{log: '${status}'}]"));
            Value::Mapping(choice)
        }
        _ => yaml("{log: '${status}'}"),
    };
    vec![Value::Mapping(call), line]
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).expect("this is YAML")
}

/// What a process logged, and whether it is left waiting.
fn logged(run: &common::Told, process: &str) -> Vec<String> {
    let (_, records) = ipcsim_report::trace::read(&run.trace).expect("a trace can be read again");
    let own = |thread: &str| {
        thread == process || thread.strip_prefix(process).is_some_and(|rest| rest.starts_with('.'))
    };
    let logs = records.iter().filter(|record| record.event == "logged");
    let logs = logs.filter(|record| record.thread.as_deref().is_some_and(own));
    // `ok none body` where a message has no type reads as `ok body`.
    let line = |text: &String| text.replace("ok none ", "ok ");
    let mut lines: Vec<String> = logs.filter_map(|record| record.text.as_ref().map(line)).collect();
    for thread in run.run.state.threads.items() {
        let name = run.machine.process_name(thread.process);
        if name == process && matches!(thread.state, ThreadState::Blocked { .. }) {
            lines.push("waits".into());
        }
    }
    lines
}

fn shown(line: &Value) -> String {
    match line {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).expect("a line").trim().to_string(),
    }
}

/// Every case of a file has its test.
fn all_are_tested(file: &str, tested: &[&str]) {
    let cases: Mapping = serde_yaml::from_str(file).expect("the cases are YAML");
    let written: Vec<&str> = cases.keys().filter_map(Value::as_str).collect();
    assert_eq!(written, tested, "each case has a test of its name, in the same order");
}

macro_rules! cases {
    ($system:ident, $file:literal: $($id:ident)+) => {
        #[expect(non_snake_case, reason = "a test has the name of its case")]
        mod $system {
            const FILE: &str = include_str!($file);

            #[test]
            fn every_case_is_tested() {
                super::all_are_tested(FILE, &[$(stringify!($id)),+]);
            }

            $(
                #[test]
                fn $id() {
                    super::check(FILE, stringify!($id));
                }
            )+
        }
    };
}

cases! { mach, "conformance/mach.yaml":
    MA_01 MA_02 MA_03 MA_04 MA_07 MA_10 MA_13 MA_14 MA_18 MA_19 MA_20 MA_22 MA_25 MA_26 MA_28 MA_29 MA_31 MA_32 MA_34 MA_35 MA_37 MA_38 MA_40
    MA_41 MA_43 MA_44 MA_46 MA_47 MA_49 MA_50 MA_52 MA_53 MA_55 MA_56 MA_58 MA_59 MA_61 MA_62 MA_64 MA_65 MA_67 MA_68 MA_71 MA_86 MA_89 MA_98
    MA_17 MA_78 MA_80 MA_82 MA_83 MA_85 MA_91 MA_92 MA_73 MA_76
}

cases! { names, "conformance/names.yaml":
    NS_01 NS_02 NS_04 NS_05 NS_08 NS_10 NS_11 NS_13 MA_94 MA_95
}

cases! { posix_mq, "conformance/posix-mq.yaml":
    MQ_01 MQ_02 MQ_05 MQ_07 MQ_11 MQ_14 MQ_16 MQ_19 MQ_20 MQ_22 MQ_25 MQ_37 MQ_08 MQ_04 MQ_10 MQ_13 MQ_23
}

cases! { sysv, "conformance/sysv.yaml":
    SV_04 SV_05 SV_07 SV_10 SV_11 SV_13 SV_14 SV_16
}
cases! { minix, "conformance/minix.yaml":
    MN_01 MN_02 MN_04 MN_05 MN_07 MN_08 MN_10 MN_11 MN_16
}

cases! { unix, "conformance/unix.yaml":
    PI_01 PI_02 PI_05 PI_07 PI_08 PI_10 PI_11 PI_13 PI_14 PI_19 PI_19_DUP PI_NULL_READ UX_14 PL_08 UX_04 UX_11 UX_16
    PL_01 PL_02 PL_10 PL_14 PF_01 PF_02 PF_04 PF_05 PF_07
}

cases! { qnx, "conformance/qnx.yaml":
    QN_01 QN_02 QN_05 QN_07 QN_08 QN_10 QN_11 QN_13 QN_14
}

cases! { sel4, "conformance/sel4.yaml":
    S4_01 S4_02 S4_03 S4_12 S4_18 S4_19
}

cases! { lecture, "conformance/lecture.yaml":
    DL_01 DL_01_STORED DL_02 DL_02_FITS DL_02_MQ DL_05 DL_04 DL_10 DL_10_QNX
}
