//! `lesions.csv`: one row a true lesion.

use super::cases::{CaseIndex, Found};
use super::table::{Findings, Table};
use crate::fault::Fault;
use crate::metrics::matching::{Region, Shape, Target};
use crate::protocol::{Acceptance, Protocol};

/// The lesions of each case, in the order of the file; a case without lesions has an empty list.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesions {
    /// One entry a case, in the order of [`super::Cases`].
    pub by_case: Vec<Vec<LesionRow>>,
}

/// A true lesion. Places and extents in input pixels from the image's top left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct LesionRow {
    /// Unique within its case; its number there, from 1, where the file has no `lesion` column.
    pub id: String,
    /// The centre.
    pub x: f64,
    pub y: f64,
    pub z: Option<f64>,
    /// Of the lesion's box around its centre, > 0; both or none.
    pub width: Option<f64>,
    pub height: Option<f64>,
    /// Of a round lesion, > 0; excludes the box.
    pub radius: Option<f64>,
    /// > 0; 1 where the file has none.
    pub weight: f64,
    /// In the unit that the study uses, such as millimetres; for description only.
    pub size: Option<f64>,
}

impl Lesions {
    pub fn count(&self) -> usize {
        self.by_case.iter().map(Vec::len).sum()
    }

    /// The lesions of each case as the matching takes them.
    pub fn to_metrics(&self) -> Vec<Vec<Target>> {
        self.by_case.iter().map(|lesions| lesions.iter().map(LesionRow::to_metric).collect()).collect()
    }
}

impl LesionRow {
    pub fn to_metric(&self) -> Target {
        let centre = [self.x, self.y, self.z.unwrap_or(0.0)];
        let shape = match (self.width, self.height, self.radius) {
            (Some(width), Some(height), _) => flat_box(centre, width, height),
            (_, _, Some(radius)) => Shape::Radius(radius),
            _ => Shape::Point,
        };
        Target { region: Region { centre, shape }, weight: self.weight, ignored: false }
    }
}

/// A box in the plane of its centre.
pub(super) fn flat_box([x, y, z]: [f64; 3], width: f64, height: f64) -> Shape {
    Shape::Box { lower: [x - width / 2.0, y - height / 2.0, z], upper: [x + width / 2.0, y + height / 2.0, z] }
}

/// What the acceptance rules of the protocol's endpoints must know of a lesion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Centre,
    Extent,
    Box,
}

/// Reads and checks the lesions. A positive case without lesion and a lesion in a negative case are faults: location
/// measures take a case for non-diseased when it has no lesion, so the two files must say the same.
pub(super) fn read(
    table: &Table,
    protocol: &Protocol,
    index: &CaseIndex,
    found: &Found,
    findings: &mut Findings,
) -> Option<Lesions> {
    let (place, [case_at, id_at, radius_at, weight_at, size_at]) = Place::of(table, findings)?;
    let case_at = case_at?;
    let needs = protocol
        .endpoints
        .iter()
        .filter_map(|endpoint| endpoint.acceptance)
        .map(|rule| match rule {
            Acceptance::Distance { .. } => Needs::Centre,
            Acceptance::Inside => Needs::Extent,
            Acceptance::Iou { .. } => Needs::Box,
        })
        .max()
        .unwrap_or(Needs::Centre);
    let cases = &found.cases;
    let mut by_case: Vec<Vec<LesionRow>> = vec![Vec::new(); cases.len()];
    let mut row_of: Vec<Vec<usize>> = vec![Vec::new(); cases.len()];
    for row in 0..table.rows() {
        let case = index.find(table, row, case_at, findings);
        let centre = place.read(table, row, findings);
        let [radius, size] = [radius_at, size_at].map(|at| positive(table, row, at, findings));
        let weight = match weight_at {
            Some(at) if table.cell(row, at).is_empty() => {
                let _ = table.text(row, at, "give each lesion a weight, or take the column out", findings);
                None
            }
            Some(at) => positive(table, row, Some(at), findings),
            None => Some(1.0),
        };
        if let Some(Centre { width, height, .. }) = centre {
            check_extent(table, row, case_at, (width, height, radius), needs, findings);
        }
        let id = id_at.and_then(|at| table.text(row, at, "give the lesion an id, or take the column out", findings));
        let Some(case) = case else { continue };
        if found.sound && !cases.truth[case as usize] {
            findings.add("a lesion in a negative case", "case", table.line(row), |_| {
                let found = format!("a lesion in case {:?}, whose truth is negative", cases.id[case as usize]);
                table.fault(
                    row,
                    case_at,
                    found,
                    "lesions in positive cases",
                    "correct the truth, or take the lesion out",
                )
            });
        }
        let (Some(Centre { x, y, z, width, height }), Some(weight)) = (centre, weight) else { continue };
        let lesions = &mut by_case[case as usize];
        let id = id.map_or_else(|| (lesions.len() + 1).to_string(), str::to_owned);
        let same = lesions.iter().position(|other| (other.x, other.y, other.z) == (x, y, z) || other.id == id);
        if let Some(same) = same {
            let first = row_of[case as usize][same];
            findings.add("a lesion that is there already", "case", table.line(row), |_| {
                let found = format!(
                    "a lesion of case {:?} with the id or the place of that in line {}",
                    cases.id[case as usize],
                    table.line(first)
                );
                let mend = "take one of the two out, or give it an id of its own";
                table.fault(row, case_at, found, "one row a lesion", mend)
            });
        }
        row_of[case as usize].push(row);
        lesions.push(LesionRow { id, x, y, z, width, height, radius, weight, size });
    }
    if found.sound {
        for (case, _) in by_case.iter().enumerate().filter(|(case, of)| cases.truth[*case] && of.is_empty()) {
            findings.add("a positive case without lesion", "case", 0, |file| {
                let found = format!("no lesion of case {:?}, whose truth is positive", cases.id[case]);
                let mend = "add its lesions, or correct its truth";
                Fault::new(file, found, "at least one lesion in each positive case", mend).key("case")
            });
        }
    }
    Some(Lesions { by_case })
}

/// The columns that say where a lesion lies: its centre, with width and height where it has a box, or two corners.
enum Place {
    Centre { x: usize, y: usize, z: Option<usize>, width: Option<usize>, height: Option<usize> },
    Corners([usize; 4]),
}

#[derive(Clone, Copy)]
struct Centre {
    x: f64,
    y: f64,
    z: Option<f64>,
    width: Option<f64>,
    height: Option<f64>,
}

impl Place {
    /// And where `case`, `lesion`, `radius`, `weight` and `size` stand.
    fn of(table: &Table, findings: &mut Findings) -> Option<(Self, [Option<usize>; 5])> {
        if ["x1", "y1", "x2", "y2"].iter().any(|name| table.column(name).is_some()) {
            let ([case, corners @ ..], [lesion, weight, size]) =
                table.columns(["case", "x1", "y1", "x2", "y2"], ["lesion", "weight", "size"], false, findings)?;
            return Some((Self::Corners(corners), [Some(case), lesion, None, weight, size]));
        }
        let optional = ["lesion", "z", "width", "height", "radius", "weight", "size"];
        let ([case, x, y], [lesion, z, width, height, radius, weight, size]) =
            table.columns(["case", "x", "y"], optional, false, findings)?;
        Some((Self::Centre { x, y, z, width, height }, [Some(case), lesion, radius, weight, size]))
    }

    fn read(&self, table: &Table, row: usize, findings: &mut Findings) -> Option<Centre> {
        match *self {
            Self::Centre { x, y, z, width, height } => {
                let x = table.number(row, x, "give the centre's x in pixels", findings);
                let y = table.number(row, y, "give the centre's y in pixels", findings);
                let z = z.map(|at| table.number(row, at, "give the centre's z, or take the column out", findings));
                let [width, height] = [width, height].map(|at| positive(table, row, at, findings));
                Some(Centre { x: x?, y: y?, z: z.flatten(), width, height })
            }
            Self::Corners(columns) => {
                let corners = columns.map(|at| table.number(row, at, "give both corners in pixels", findings));
                let [Some(x1), Some(y1), Some(x2), Some(y2)] = corners else { return None };
                let (width, height) = (x2 - x1, y2 - y1);
                if width <= 0.0 || height <= 0.0 {
                    findings.add("a box without extent", "x2", table.line(row), |_| {
                        let found = format!("a box {width} wide and {height} high");
                        let mend = "write the upper left corner as x1, y1 and the lower right one as x2, y2";
                        table.fault(row, columns[2], found, "x2 above x1 and y2 above y1", mend)
                    });
                    return None;
                }
                let (x, y) = (x1 + width / 2.0, y1 + height / 2.0);
                Some(Centre { x, y, z: None, width: Some(width), height: Some(height) })
            }
        }
    }
}

/// A number > 0, `None` where the column is not there or the cell is blank.
pub(super) fn positive(table: &Table, row: usize, column: Option<usize>, findings: &mut Findings) -> Option<f64> {
    let column = column.filter(|&at| !table.cell(row, at).is_empty())?;
    let value = table.number(row, column, "leave the cell empty where it is not known", findings)?;
    if value > 0.0 {
        return Some(value);
    }
    findings.add("a number that is not above 0", &table.names()[column], table.line(row), |_| {
        let mend = "correct it, or leave the cell empty where it is not known";
        table.fault(row, column, value.to_string(), "a number above 0", mend)
    });
    None
}

fn check_extent(
    table: &Table,
    row: usize,
    case_at: usize,
    (width, height, radius): (Option<f64>, Option<f64>, Option<f64>),
    needs: Needs,
    findings: &mut Findings,
) {
    let boxed = width.is_some() && height.is_some();
    let problem = if width.is_some() != height.is_some() {
        Some(("a lesion with one of width and height", "both or none"))
    } else if boxed && radius.is_some() {
        Some(("a lesion with a box and a radius", "one of the two"))
    } else if needs == Needs::Box && !boxed {
        Some(("a lesion without box", "width and height, which the acceptance rule \"iou\" needs"))
    } else if needs == Needs::Extent && !boxed && radius.is_none() {
        Some(("a lesion without extent", "a radius, or width and height, which the acceptance rule \"inside\" needs"))
    } else {
        None
    };
    if let Some((what, expected)) = problem {
        findings.add(what, "", table.line(row), |_| {
            let found = format!("{what}, case {:?}", table.cell(row, case_at));
            let mut fault = table.fault(row, case_at, found, expected, "correct the columns width, height and radius");
            fault.key = None;
            fault
        });
    }
}
