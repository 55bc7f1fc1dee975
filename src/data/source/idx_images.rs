//! The images of an idx file, in memory, each as a file of its own.

/// The images of a file, which share their pixels.
#[derive(Debug)]
pub struct IdxImages {
    /// Grey, image by image.
    pub pixels: Vec<u8>,
    /// Of each image.
    pub height: usize,
    /// Of each image.
    pub width: usize,
}

impl IdxImages {
    /// The image at this place as a file.
    pub fn file(&self, place: usize) -> Vec<u8> {
        let size = self.height * self.width;
        let mut bytes = format!("P5\n{} {}\n255\n", self.width, self.height).into_bytes();
        bytes.extend_from_slice(&self.pixels[place * size..(place + 1) * size]);
        bytes
    }

    /// About how many bytes such a file has.
    pub fn file_size(&self) -> u64 {
        (self.height * self.width) as u64 + 15
    }
}
