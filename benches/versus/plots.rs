//! Plots of the report: bars side by side, one for each broker, with the rounds' least and most.

use crate::figures::{CPU_GB, Figures, MB_S, P99, RECORDS_S};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// A plot that was drawn.
pub struct Plot {
    pub title: &'static str,
    pub file: &'static str,
}

/// One plot: the workloads whose names begin so, in one unit.
struct Sheet {
    plot: Plot,
    begins: &'static [&'static str],
    unit: &'static str,
}

const SHEETS: [Sheet; 6] = [
    sheet("Writing in batches", "produce-rate.svg", &["produce"], MB_S),
    sheet("What writing costs the broker", "produce-cpu.svg", &["produce"], CPU_GB),
    sheet("Records in requests of their own", "single-rate.svg", &["single", "alone"], RECORDS_S),
    sheet("Slowest of a hundred", "latency.svg", &["alone", "latency", "end-to-end"], P99),
    sheet("Reading", "read-rate.svg", &["read", "catch-up", "consumers"], MB_S),
    sheet("Kafka's own programs", "tools-rate.svg", &["tools"], MB_S),
];

const SIZE: (u32, u32) = (960, 420);
const COLOURS: [RGBColor; 5] = [
    RGBColor(32, 96, 160),
    RGBColor(208, 112, 32),
    RGBColor(232, 176, 112),
    RGBColor(64, 144, 80),
    RGBColor(152, 200, 152),
];

const fn sheet(
    title: &'static str,
    file: &'static str,
    begins: &'static [&'static str],
    unit: &'static str,
) -> Sheet {
    Sheet { plot: Plot { title, file }, begins, unit }
}

/// Draws what there are figures for.
pub fn draw(folder: &Path, figures: &Figures, brokers: &[&str]) -> Result<Vec<Plot>> {
    std::fs::create_dir_all(folder)?;
    let mut plots = Vec::new();
    for sheet in SHEETS {
        let workloads: Vec<&str> = figures
            .workloads()
            .into_iter()
            .filter(|name| sheet.begins.iter().any(|begin| name.starts_with(begin)))
            .filter(|name| brokers.iter().any(|broker| figures.spread(broker, name, sheet.unit).is_some()))
            .collect();
        if !workloads.is_empty() {
            let path = folder.join(sheet.plot.file);
            let area = SVGBackend::new(&path, SIZE).into_drawing_area();
            one(&area, &sheet, figures, &workloads, brokers).map_err(|error| anyhow!("{error}"))?;
            plots.push(sheet.plot);
        }
    }
    Ok(plots)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Rates are far apart, so that the scale is that of ratios.
fn one(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    sheet: &Sheet,
    figures: &Figures,
    workloads: &[&str],
    brokers: &[&str],
) -> Drawn {
    area.fill(&WHITE)?;
    let spreads: Vec<_> = workloads
        .iter()
        .flat_map(|name| brokers.iter().filter_map(|broker| figures.spread(broker, name, sheet.unit)))
        .collect();
    let least = spreads.iter().map(|it| it.least).fold(f64::MAX, f64::min).max(1e-3) / 2.0;
    let most = spreads.iter().map(|it| it.most).fold(least * 10.0, f64::max) * 1.5;
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}, {}", sheet.plot.title, sheet.unit), ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..workloads.len() as f64, (least..most).log_scale())?;
    let name = |at: &f64| {
        let middle = (at.fract() - 0.5).abs() < 1e-6;
        workloads.get(*at as usize).filter(|_| middle).map_or(String::new(), |name| (*name).to_owned())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(workloads.len() * 2 + 1)
        .x_label_formatter(&name)
        .y_label_formatter(&|value| crate::goals::round(*value))
        .draw()?;
    let width = 0.8 / brokers.len() as f64;
    for (number, broker) in brokers.iter().enumerate() {
        let colour = COLOURS.get(number % COLOURS.len()).copied().unwrap_or(BLACK);
        let spreads = workloads.iter().enumerate().filter_map(|(at, name)| {
            Some((at as f64 + 0.1 + width * number as f64, figures.spread(broker, name, sheet.unit)?))
        });
        let spreads: Vec<_> = spreads.collect();
        let bar = |(left, spread): &(f64, crate::figures::Spread)| {
            Rectangle::new([(*left, least), (left + width * 0.9, spread.median.max(least))], colour.filled())
        };
        chart
            .draw_series(spreads.iter().map(bar))?
            .label(*broker)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        chart.draw_series(spreads.iter().map(|(left, spread)| {
            let x = left + width * 0.45;
            PathElement::new(vec![(x, spread.least.max(least)), (x, spread.most.max(least))], BLACK)
        }))?;
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
