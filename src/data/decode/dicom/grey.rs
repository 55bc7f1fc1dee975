//! The way from the stored values of a grey DICOM to brightness (PS3.3, sections C.11.1 and C.11.2; PS3.4,
//! annex N): first to the values of the modality, then by a window or a table from black to white.

use super::super::faults::not_read;
use super::attributes::{
    Attributes, FRAME_GROUPS, FRAME_RESCALE, FRAME_VOI, MODALITY_TABLES, RESCALE_INTERCEPT, RESCALE_SLOPE,
    VOI_FUNCTION, VOI_TABLES, WINDOW_CENTER, WINDOW_WIDTH,
};
use super::module::{PixelModule, level};
use super::table::Table;

/// The way from values to brightness.
#[derive(Debug)]
pub struct Grey {
    modality: Modality,
    voi: Voi,
}

/// The way from stored values to those of the modality.
#[derive(Debug)]
enum Modality {
    /// `slope · value + intercept`.
    Linear { slope: f64, intercept: f64 },
    /// A table.
    Table(Table),
}

/// The way from the values of the modality to brightness (VOI: values of interest).
#[derive(Debug)]
enum Voi {
    /// A window.
    Window { function: Function, center: f64, width: f64 },
    /// A table.
    Table(Table),
    /// From the least to the largest value that there can be.
    Full { least: f64, most: f64 },
}

/// The form of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    /// A ramp between whole numbers (C.11.2.1.2).
    Linear,
    /// A ramp from the window's one end to the other (C.11.2.1.3.2).
    LinearExact,
    /// A smooth curve (C.11.2.1.3.1).
    Sigmoid,
}

impl Grey {
    /// Returns the way that a file tells: of several windows the first, and of a table and windows the table.
    ///
    /// # Errors
    /// A sentence, if it is damaged or rare.
    pub fn from_attributes(attributes: &Attributes, module: &PixelModule) -> Result<Grey, String> {
        let modality = Modality::from_attributes(attributes, module)?;
        let voi = match attributes.item(VOI_TABLES)? {
            Some(item) => Some(Voi::Table(Table::from_item(&item, modality.ends(module)[0] < 0.0)?)),
            None => {
                let of_frames = of_frames(attributes, FRAME_VOI, WINDOW_CENTER)?;
                Voi::window(of_frames.as_ref().unwrap_or(attributes))?
            }
        };
        let [least, most] = modality.ends(module);
        Ok(Grey { modality, voi: voi.unwrap_or(Voi::Full { least, most }) })
    }

    /// Iterates over the levels of all values that a sample may have.
    pub fn levels(&self, module: &PixelModule) -> impl Iterator<Item = u16> {
        let is_deep = module.is_deep();
        module.all_values().map(move |value| level(self.voi.brightness(self.modality.value(value)), is_deep))
    }
}

impl Modality {
    fn from_attributes(attributes: &Attributes, module: &PixelModule) -> Result<Modality, String> {
        if let Some(item) = attributes.item(MODALITY_TABLES)? {
            return Ok(Modality::Table(Table::from_item(&item, module.is_signed)?));
        }
        let of_frames = of_frames(attributes, FRAME_RESCALE, RESCALE_SLOPE)?;
        let attributes = of_frames.as_ref().unwrap_or(attributes);
        let slope = attributes.decimal(RESCALE_SLOPE)?.unwrap_or(1.0);
        let intercept = attributes.decimal(RESCALE_INTERCEPT)?.unwrap_or(0.0);
        Ok(Modality::Linear { slope, intercept })
    }

    /// Returns the value of the modality of a stored one.
    fn value(&self, stored: i32) -> f64 {
        match self {
            Modality::Linear { slope, intercept } => f64::from(stored) * slope + intercept,
            Modality::Table(table) => f64::from(table.entry(stored.into())),
        }
    }

    /// Returns the least and the largest value that there can be.
    fn ends(&self, module: &PixelModule) -> [f64; 2] {
        match self {
            Modality::Linear { .. } => {
                let [first, last] = module.ends().map(|end| self.value(end));
                [first.min(last), first.max(last)]
            }
            Modality::Table(table) => [0.0, table.most()],
        }
    }
}

impl Voi {
    /// Returns the first window, if there is one.
    fn window(attributes: &Attributes) -> Result<Option<Voi>, String> {
        let (center, width) = (attributes.decimal(WINDOW_CENTER)?, attributes.decimal(WINDOW_WIDTH)?);
        let (Some(center), Some(width)) = (center, width) else { return Ok(None) };
        let function = match attributes.text(VOI_FUNCTION)? {
            None | Some("LINEAR") => Function::Linear,
            Some("LINEAR_EXACT") => Function::LinearExact,
            Some("SIGMOID") => Function::Sigmoid,
            Some(_) => return Err(not_read("a DICOM with a window of a rare form")),
        };
        let is_one = if function == Function::Linear { width >= 1.0 } else { width > 0.0 };
        if !is_one {
            return Err(format!(
                "its window has a width of {width}, which shows nothing; save it again as PNG with an image program, or take it out"
            ));
        }
        Ok(Some(Voi::Window { function, center, width }))
    }

    /// Returns the brightness of a value, from 0 to 1 where it is not beyond the ends.
    fn brightness(&self, value: f64) -> f64 {
        match self {
            Voi::Window { function: Function::Linear, center, width } => {
                let (center, width) = (center - 0.5, width - 1.0);
                match value {
                    _ if value <= center - width / 2.0 => 0.0,
                    _ if value > center + width / 2.0 => 1.0,
                    _ => (value - center) / width + 0.5,
                }
            }
            Voi::Window { function: Function::LinearExact, center, width } => (value - center) / width + 0.5,
            // The same on every machine, as the exponential is our own.
            Voi::Window { function: Function::Sigmoid, center, width } => {
                1.0 / (1.0 + libm::exp(-4.0 * (value - center) / width))
            }
            Voi::Table(table) => f64::from(table.entry(value.round() as i64)) / table.most(),
            Voi::Full { least, most } if least == most => 0.0,
            Voi::Full { least, most } => (value - least) / (most - least),
        }
    }
}

/// Returns the attributes of a file of many frames that stand in this sequence, for all of them or for the
/// first; none where they stand with the others, by this one of them.
fn of_frames<'a>(attributes: &Attributes<'a>, sequence: u32, one: u32) -> Result<Option<Attributes<'a>>, String> {
    if attributes.get(one).is_some() {
        return Ok(None);
    }
    for groups in FRAME_GROUPS {
        if let Some(group) = attributes.item(groups)?
            && let Some(found) = group.item(sequence)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
