//! The images of an array, in memory, each as a file of its own.

/// The most bytes that the images of an array may have in all: more than twenty times MNIST's.
pub const MAX_IMAGE_BYTES: u64 = 1 << 30;

/// Images of one size, which share their pixels.
#[derive(Debug)]
pub struct ArrayImages {
    /// In the order N H W C.
    pub pixels: Vec<u8>,
    /// Of each image.
    pub height: usize,
    /// Of each image.
    pub width: usize,
    /// Of each image: 1 for grey, 3 for RGB.
    pub channels: usize,
}

impl ArrayImages {
    /// The bytes of an image's pixels.
    fn size(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The number of images.
    pub fn count(&self) -> usize {
        self.pixels.len().checked_div(self.size()).unwrap_or(0)
    }

    /// The image at this place as a file, a PNM.
    pub fn file(&self, place: usize) -> Vec<u8> {
        let kind = if self.channels == 1 { "P5" } else { "P6" };
        let mut bytes = format!("{kind}\n{} {}\n255\n", self.width, self.height).into_bytes();
        bytes.extend_from_slice(&self.pixels[place * self.size()..(place + 1) * self.size()]);
        bytes
    }

    /// About how many bytes such a file has.
    pub fn file_size(&self) -> u64 {
        self.size() as u64 + 15
    }
}
