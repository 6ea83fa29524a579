//! A story in text: a column for each thread, time goes down.

use crate::story::{Clock, Layout, Mark, Row, Story, Way};
use crate::units::{count, time};

/// The width of the picture, in characters. It does not follow the terminal, so that a picture in a
/// book or a test is the picture on the screen.
const WIDTH: usize = 100;
/// The least width of a lane, for which a picture of many becomes wider: `RECEIVE-blocked` is one word.
const LANE: usize = 18;
const TIME: usize = 10;

/// Draws a story, each line with a line break.
pub fn picture(story: &Story) -> String {
    let drawing = Drawing::new(story);
    let mut out = String::new();
    drawing.header(&mut out);
    let mut last = None;
    for row in &story.head {
        drawing.row(&mut out, row, last);
        last = Some(row.at);
    }
    if story.folded > 0 {
        let from = story.head.last().map_or(0, |row| row.at);
        let to = story.tail.first().map_or(from, |row| row.at);
        let rows = if story.folded == 1 { "row" } else { "rows" };
        out.push_str(&format!(
            "{:>TIME$}   … {} {rows} left out, from {} to {} (--trace FILE keeps everything)\n",
            "",
            count(story.folded),
            drawing.clock(from),
            drawing.clock(to)
        ));
        last = None;
    }
    for row in &story.tail {
        drawing.row(&mut out, row, last);
        last = Some(row.at);
    }
    out
}

struct Drawing<'a> {
    story: &'a Story,
    column: usize,
}

impl<'a> Drawing<'a> {
    fn new(story: &'a Story) -> Self {
        let lanes = story.lanes.len().max(1);
        Self { story, column: ((WIDTH - TIME - 2) / lanes).max(LANE) }
    }

    fn unit(&self) -> &'static str {
        match self.story.clock {
            Clock::Time => "time",
            Clock::Steps => "step",
        }
    }

    fn clock(&self, at: u64) -> String {
        match self.story.clock {
            Clock::Time => time(at),
            Clock::Steps => count(at),
        }
    }

    fn header(&self, out: &mut String) {
        match self.story.layout {
            Layout::List => out.push_str(&format!("{:>TIME$}   what happens\n", self.unit())),
            Layout::Lanes => {
                let mut line = format!("{:>TIME$}  ", self.unit());
                for name in &self.story.lanes {
                    line.push_str(&fit(name, self.column));
                }
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
    }

    fn row(&self, out: &mut String, row: &Row, last: Option<u64>) {
        let at = if last == Some(row.at) { String::new() } else { self.clock(row.at) };
        match self.story.layout {
            Layout::List => out.push_str(&format!("{at:>TIME$}  {}\n", row.text)),
            Layout::Lanes => {
                for (number, cells) in self.cells(row).into_iter().enumerate() {
                    let at = if number == 0 { at.as_str() } else { "" };
                    let line = format!("{at:>TIME$}  {cells}");
                    out.push_str(line.trim_end());
                    out.push('\n');
                }
            }
        }
    }

    /// The lanes of a row, as one line or several: a long text is wrapped inside its lane.
    fn cells(&self, row: &Row) -> Vec<String> {
        let start = row.lane.min(self.story.lanes.len() - 1) * self.column;
        let lines = wrap(&row.text, self.column - 3);
        let draw = |(number, text): (usize, &String)| {
            let mut canvas = self.lanes(row);
            if number == 0 {
                self.arrow(&mut canvas, row, start, text.chars().count());
            }
            for (offset, c) in text.chars().enumerate() {
                canvas[start + 2 + offset] = c;
            }
            canvas.into_iter().collect()
        };
        lines.iter().enumerate().map(draw).collect()
    }

    fn lanes(&self, row: &Row) -> Vec<char> {
        let lanes = self.story.lanes.len();
        let mut canvas: Vec<char> = vec![' '; lanes * self.column];
        for (lane, mark) in row.marks.iter().enumerate().take(lanes) {
            canvas[lane * self.column] = match mark {
                Mark::Absent => ' ',
                Mark::Active => '│',
                Mark::Waiting => '┊',
            };
        }
        canvas
    }

    /// The arrow of a message from its sender's lane to the row's, over the lanes between.
    fn arrow(&self, canvas: &mut [char], row: &Row, start: usize, text: usize) {
        let Some((from, way)) = row.from else { return };
        if from == row.lane || from >= self.story.lanes.len() {
            return;
        }
        let line = match way {
            Way::Straight => '─',
            Way::Buffered => '┄',
        };
        let origin = from * self.column;
        if origin < start {
            canvas[origin] = '├';
            canvas[origin + 1..start].fill(line);
            canvas[start] = '▶';
        } else {
            canvas[origin] = '┤';
            canvas[start + 3 + text..origin].fill(line);
            canvas[start] = '◀';
        }
    }
}

/// Breaks a text into lines of at most this many characters, between words where that is possible.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for part in pieces(&word, width.max(1)) {
            if length + part.len() > width {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            line.extend(part);
            length += part.len();
        }
    }
    lines.push(line);
    lines
}

/// A word in pieces of at most this many characters; a long one is broken behind a sign, if it has any.
fn pieces(word: &[char], width: usize) -> Vec<&[char]> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while rest.len() > width {
        let sign = rest[..width].iter().rposition(|c| "-.,/()[]".contains(*c));
        let (piece, behind) = rest.split_at(sign.map_or(width, |at| at + 1));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

fn fit(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length < width {
        return format!("{text}{}", " ".repeat(width - length));
    }
    let mut cut: String = text.chars().take(width.saturating_sub(2)).collect();
    cut.push('…');
    cut.push(' ');
    cut
}
