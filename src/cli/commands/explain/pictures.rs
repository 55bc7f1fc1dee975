//! The pictures of a step: what each convolution sees, its filters, the gradients, and where the answer comes
//! from.

use super::subject::Subject;
use glassnet::Result;
use glassnet::explain::{Moment, grad_cam, occlusion};
use glassnet::geometry::Shape;
use glassnet::layers::LayerKind;
use glassnet::report::explanation::Picture;
use glassnet::report::pictures::maps::{self, Maps, Sheet};
use image::RgbImage;

/// Pixels of an image's side on the page.
const SIDE: u32 = 256;
/// The maps of a layer on the page.
const ON_PAGE: Sheet = Sheet { most: 16, columns: 8, side: 48 };
/// The maps of a layer in a file.
const IN_FILE: Sheet = Sheet { most: usize::MAX, columns: 16, side: 128 };

/// A picture, as a file and on the page.
pub struct Drawn {
    /// The file's name.
    pub file: String,
    /// As the file has it.
    pub full: RgbImage,
    /// As the page has it, where that is smaller.
    small: Option<RgbImage>,
    name: String,
    caption: String,
}

impl Drawn {
    /// Returns the picture for the page.
    pub fn on_page(&self) -> Result<Picture> {
        let png = maps::encoded(self.small.as_ref().unwrap_or(&self.full), &self.file)?;
        Ok(Picture { png, name: self.name.clone(), caption: self.caption.clone() })
    }
}

/// Draws all pictures of an image.
///
/// # Errors
/// As [`grad_cam`] and [`occlusion`].
pub fn draw(subject: &Subject, moment: &Moment, focus: usize) -> Result<Vec<Drawn>> {
    let image = moment.input(0, focus);
    let [height, width, channels] = subject.network.spec().input;
    let input = maps::image(Maps { size: [height, width], channels, values: image }, SIDE);
    let (answer, _) = subject.answer(focus);
    let class = &subject.classes[answer.index()];
    let mut drawn = vec![Drawn {
        file: "input.png".into(),
        full: input.clone(),
        small: None,
        name: "The image".into(),
        caption: "as the network sees it.".into(),
    }];
    if let Some((layer, map)) = grad_cam(&subject.network, &subject.parameters, image, answer)? {
        drawn.push(Drawn {
            file: "grad_cam.png".into(),
            full: maps::overlay(&input, map.size, &map.values),
            small: None,
            name: "Grad-CAM".into(),
            caption: format!(
                "for {class}, of {layer}: the feature maps, each weighed by how much the answer rises with it on average."
            ),
        });
    }
    let map = occlusion(&subject.network, &subject.parameters, image, answer)?;
    drawn.push(Drawn {
        file: "occlusion.png".into(),
        full: maps::overlay(&input, map.size, &map.values),
        small: None,
        name: "Occlusion".into(),
        caption: format!(
            "how far the probability of {class} falls where a square is painted over: orange spoke for it, blue against it; \
             the strongest colour is a change of {:.4}.",
            map.largest()
        ),
    });
    for (index, layer) in moment.layers().iter().enumerate() {
        let (LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_), Shape::Image([height, width, channels])) =
            (&layer.kind, layer.output)
        else {
            continue;
        };
        let size = [height, width];
        let mut sheet = |file: &str, maps: Maps, name: String, caption: &str| {
            let first = if maps.channels > ON_PAGE.most { ", the first of them" } else { "" };
            drawn.push(Drawn {
                file: format!("{}_{file}.png", layer.name),
                full: maps::sheet(maps, IN_FILE),
                small: Some(maps::sheet(maps, ON_PAGE)),
                name: format!("{name}{first}"),
                caption: caption.into(),
            });
        };
        let of = |values| Maps { size, channels, values };
        let name = &layer.name;
        sheet(
            "maps",
            of(moment.output(index, focus)),
            format!("Feature maps of {name}"),
            "what each filter answers, before any ReLU.",
        );
        sheet(
            "gradients",
            of(moment.grad_output(index, focus)),
            format!("Gradients at {name}"),
            "∂L/∂output: most of it is exactly zero.",
        );
        let kernel = &subject.network.table().entries()[layer.tensors.start];
        let values = moment.snapshot.before(&kernel.name).unwrap_or(&[]);
        let &[kernel_height, kernel_width, depth, filters] = &kernel.shape[..] else { continue };
        // Of a filter over many channels the first channel is shown.
        let first: Vec<f32> = (0..kernel_height * kernel_width)
            .flat_map(|cell| values[cell * depth * filters..][..filters].iter().copied())
            .collect();
        sheet(
            "filters",
            Maps { size: [kernel_height, kernel_width], channels: filters, values: &first },
            format!("Filters of {name}"),
            "the weights of each over its first input channel.",
        );
    }
    Ok(drawn)
}
