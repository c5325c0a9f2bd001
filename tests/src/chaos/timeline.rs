//! The picture: throughput and errors over time, against the faults.

use std::fmt::Write as _;

use super::fault::Fault;
use super::run::{Options, Outcome};

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 420.0;
/// The drawing's edges.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 90.0;
const BOTTOM: f64 = 40.0;

/// Counts of one second.
#[derive(Clone, Copy, Default)]
struct Second {
    answered: u32,
    unanswered: u32,
}

/// Draws the run.
#[expect(clippy::cast_precision_loss, reason = "a picture is drawn in floats")]
pub fn draw(options: &Options, outcome: &Outcome) -> String {
    let attempts = outcome.tape.attempts();
    let last = outcome.stopped_us;
    let mut seconds = vec![Second::default(); (last / 1_000_000) as usize + 1];
    for attempt in attempts.iter().filter(|attempt| attempt.to_us <= last) {
        let second = &mut seconds[(attempt.to_us / 1_000_000) as usize];
        match attempt.status {
            0 | 500..=599 => second.unanswered += 1,
            _ => second.answered += 1,
        }
    }
    let highest = seconds.iter().map(|one| one.answered.max(one.unanswered)).max().unwrap_or(1);
    let top = nice(highest);
    let x = |us: u64| LEFT + us as f64 / 1e6 / seconds.len() as f64 * (WIDTH - LEFT - RIGHT);
    let y =
        |value: u32| HEIGHT - BOTTOM - f64::from(value) / f64::from(top) * (HEIGHT - TOP - BOTTOM);

    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"16\">Requests a second against faults, seed {}</text>",
        options.seed
    );
    for band in &outcome.bands {
        let (from, to) = (x(band.from_us), x(band.to_us));
        let served = x(band.served_us.unwrap_or(band.to_us));
        let height = HEIGHT - BOTTOM - TOP;
        let colour = band.fault.colour();
        let _ = writeln!(
            svg,
            "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{height}\" fill=\"{colour}\" \
             fill-opacity=\"0.45\"><title>{} of {:?}</title></rect>\n\
             <rect x=\"{to:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{height}\" fill=\"{colour}\" \
             fill-opacity=\"0.15\"/>",
            (to - from).max(1.5),
            band.fault,
            band.nodes,
            (served - to).max(0.0),
        );
    }
    axes(&mut svg, seconds.len(), top, x, y);
    let line = |value: fn(&Second) -> u32| {
        let points = seconds.iter().enumerate().map(|(second, one)| {
            format!("{:.1},{:.1}", x(second as u64 * 1_000_000 + 500_000), y(value(one)))
        });
        points.collect::<Vec<_>>().join(" ")
    };
    for (points, colour) in
        [(line(|one| one.answered), "#1b5e20"), (line(|one| one.unanswered), "#c62828")]
    {
        let _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>"
        );
    }
    legend(&mut svg, outcome);
    svg.push_str("</svg>\n");
    svg
}

fn axes(
    svg: &mut String,
    seconds: usize,
    top: u32,
    x: impl Fn(u64) -> f64,
    y: impl Fn(u32) -> f64,
) {
    for part in 0..=4 {
        let value = top * part / 4;
        let at = y(value);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"#cccccc\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
    }
    let every = (seconds / 12).max(1);
    for second in (0..=seconds).step_by(every) {
        let at = x(second as u64 * 1_000_000);
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second} s</text>",
            HEIGHT - BOTTOM + 18.0
        );
    }
}

fn legend(svg: &mut String, outcome: &Outcome) {
    let mut at = LEFT;
    let mut line = 44.0;
    let mut entry = |svg: &mut String, colour: &str, opacity: f64, name: &str| {
        #[expect(clippy::cast_precision_loss, reason = "a name is short")]
        let width = 30.0 + 7.0 * name.len() as f64;
        if at + width > WIDTH - RIGHT {
            at = LEFT;
            line += 20.0;
        }
        let _ = writeln!(
            svg,
            "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"14\" height=\"12\" fill=\"{colour}\" \
             fill-opacity=\"{opacity}\"/><text x=\"{:.1}\" y=\"{line:.1}\">{name}</text>",
            line - 11.0,
            at + 18.0
        );
        at += width;
    };
    entry(svg, "#1b5e20", 1.0, "answered");
    entry(svg, "#c62828", 1.0, "no answer or 5xx");
    for fault in Fault::ALL {
        if outcome.bands.iter().any(|band| band.fault == fault) {
            entry(svg, fault.colour(), 0.45, fault.name());
        }
    }
}

/// The next number at or above `value` that divides well by four.
fn nice(value: u32) -> u32 {
    let mut step = 4;
    while step * 10 < value {
        step *= 10;
    }
    value.div_ceil(step).max(1) * step
}
