//! Pictures of runs, looked at for what they must show.

mod common;

use common::told;

#[test]
fn a_text_with_line_breaks_does_not_tear_the_picture() {
    let told = told("processes: {P: [{log: \"a\\nb\\rc\\e[31md\"}]}\n", &[]);
    let picture = ipcsim_report::picture(&told.story);
    assert!(picture.contains("log: a\\nb\\rc\\u{1b}[31md"), "{picture}");
}

#[test]
fn a_send_of_another_type_that_was_handed_over_is_no_message_out_of_a_buffer() {
    let told = told(
        "
kernel: {buffering: 1}
processes:
  A: [{send: x, to: B, type: news}, {send: y, to: B, type: urgent}]
  B: [{receive: m, from: A, type: urgent}, {receive: m, from: A, type: news}]
",
        &[],
    );
    let picture = ipcsim_report::picture(&told.story);
    let arrow = |body: &str| {
        let wanted = format!("receive {body}");
        picture.lines().find(|line| line.contains(&wanted)).expect("it is received").contains('─')
    };
    assert!(arrow("y") && !arrow("x"), "{picture}");
}
