//! Where the panes are: a pure function of the area, so that drawing and clicks agree.

use ratatui::layout::Rect;

/// The panes; `None` where there is no room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panes {
    /// The form.
    pub form: Rect,
    /// The answer, or what is shown in its place.
    pub answer: Rect,
    /// Earlier requests.
    pub past: Option<Rect>,
    /// What the local model would say.
    pub what_if: Option<Rect>,
    /// How far each feature can move the score.
    pub tornado: Option<Rect>,
    /// The chart that was opened, where there is a better place for it than the answer's.
    pub chart: Option<Rect>,
}

/// Below this width the panes stand on top of each other.
const NARROW: u16 = 76;
/// From this width on there are three columns.
const WIDE: u16 = 160;
/// From this height on there is room for a chart under the form.
const TALL: u16 = 28;

/// Lines of an answer with its frame.
const ANSWER: u16 = 18;

/// Divides the area for a form of so many fields; an opened chart takes the lower part where there is one.
pub fn panes(area: Rect, fields: u16, opened: bool) -> Panes {
    // Frame, fields, and a line about the selected one.
    let form_height = (fields + 3).min(area.height);
    if area.width < NARROW {
        let height = form_height.min(area.height.saturating_sub(area.height.min(7)));
        let [form, answer] = split_down(area, height);
        return Panes {
            form,
            answer,
            past: None,
            what_if: None,
            tornado: None,
            chart: None,
        };
    }
    let left = ((u32::from(area.width) * 58 / 100) as u16).clamp(46, 84);
    let [left, right] = split_across(area, left);
    let [form, under] = split_down(left, form_height);
    if area.height < TALL {
        let past = (under.height >= 4).then_some(under);
        return Panes {
            form: if past.is_some() { form } else { left },
            answer: right,
            past,
            what_if: None,
            tornado: None,
            chart: None,
        };
    }
    if opened {
        return opened_panes(area, left.width, form_height);
    }
    let [answer, rest] = split_down(right, ANSWER);
    if area.width < WIDE {
        return Panes {
            form,
            answer,
            past: Some(rest),
            what_if: Some(under),
            tornado: None,
            chart: None,
        };
    }
    let [middle, past] = split_across(right, right.width / 2);
    let [answer, tornado] = split_down(middle, ANSWER);
    Panes {
        form,
        answer,
        past: Some(past),
        what_if: Some(under),
        tornado: Some(tornado),
        chart: None,
    }
}

/// Form and answer above, the chart below them over both columns; the history only where there is a third column.
fn opened_panes(area: Rect, left: u16, form_height: u16) -> Panes {
    let (work, past) = if area.width < WIDE {
        (area, None)
    } else {
        let right = area.width - left;
        let [work, past] = split_across(area, left + right / 2);
        (work, Some(past))
    };
    let [upper, chart] = split_down(work, form_height.max(ANSWER));
    let [form, answer] = split_across(upper, left);
    Panes {
        form,
        answer,
        past,
        what_if: None,
        tornado: None,
        chart: Some(chart),
    }
}

fn split_down(area: Rect, height: u16) -> [Rect; 2] {
    let height = height.min(area.height);
    [
        Rect { height, ..area },
        Rect {
            y: area.y + height,
            height: area.height - height,
            ..area
        },
    ]
}

fn split_across(area: Rect, width: u16) -> [Rect; 2] {
    let width = width.min(area.width);
    [
        Rect { width, ..area },
        Rect {
            x: area.x + width,
            width: area.width - width,
            ..area
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_fill_the_area_without_overlap_at_any_size() {
        for width in 0..220 {
            for height in 0..70 {
                let area = Rect::new(0, 2, width, height);
                for opened in [false, true] {
                    let panes = panes(area, 12, opened);
                    let all: Vec<Rect> = [
                        Some(panes.form),
                        Some(panes.answer),
                        panes.past,
                        panes.what_if,
                        panes.tornado,
                        panes.chart,
                    ]
                    .into_iter()
                    .flatten()
                    .collect();
                    let cells: u32 = all.iter().map(|rect| rect.area()).sum();
                    assert_eq!(cells, area.area(), "{area:?} {panes:?}");
                    assert!(
                        all.iter()
                            .all(|rect| area.union(*rect) == area || rect.is_empty())
                    );
                }
            }
        }
    }

    #[test]
    fn every_size_shows_the_form_and_the_answer() {
        let at = |width, height| panes(Rect::new(0, 2, width, height), 12, false);
        assert_eq!(at(80, 21).form.height, 15);
        assert!(at(80, 21).past.is_some() && at(80, 21).what_if.is_none());
        assert!(at(120, 33).what_if.is_some_and(|rect| rect.height == 18));
        assert!(at(60, 13).past.is_none() && at(60, 13).answer.height == 7);
    }

    #[test]
    fn an_opened_chart_is_as_wide_as_form_and_answer_or_takes_the_answers_place() {
        let at = |width, height| panes(Rect::new(0, 2, width, height), 12, true);
        assert_eq!(at(120, 33).chart, Some(Rect::new(0, 20, 120, 15)));
        assert_eq!(at(200, 57).chart, Some(Rect::new(0, 20, 142, 39)));
        assert!(at(200, 57).past.is_some());
        assert_eq!(at(80, 21).chart, None);
        assert!(at(80, 21).past.is_some());
    }
}
