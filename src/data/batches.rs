//! Batches for training: the images in a seeded order as `[N, H, W, C]` tensors, those of files decoded ahead
//! of need.
//!
//! Each picture is a small task in the rayon pool that the caller is in. While the caller trains on one
//! batch, the pictures of the next [`BATCHES_AHEAD`] are asked for, and threads that have nothing else to do
//! decode them. There is no thread beside the pool, so `--threads` holds for decoding too. The queue is
//! bounded because only taking a batch asks for another.
//!
//! A caller that must wait does not block its thread as long as the pool has tasks: it works on them.
//! Blocking a worker would be a deadlock in a pool of one thread, where nobody else could decode.
//!
//! Which thread decodes what, and when, changes no bit: every picture goes to its own place in its batch.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ndarray::Array4;
use rayon::prelude::*;

use super::arrays::ArraySet;
use super::augment::{Augmentation, Change};
use super::images::ImageSet;
use super::sample::PictureSamples;
use crate::classes::{Label, LabelSet};
use crate::head::{Head, Targets};
use crate::random::{Purpose, Stream};
use crate::spans::{Activity, task};
use crate::{Error, Result};

/// How many batches are decoded while the caller trains on one. Two ride out a batch of larger files; at 16
/// pictures of 128 × 128 they take 1.5 MiB.
pub const BATCHES_AHEAD: usize = 2;

/// How long a waiting caller sleeps before it looks for tasks again, when the last pictures it waits for are
/// being decoded by other threads. Their arrival wakes it at once; this only bounds the wait if a task
/// appears meanwhile.
const IDLE_WAIT: Duration = Duration::from_millis(1);

/// The order of the `n` training images in an epoch, counted from 0: 0 … n−1, or if `shuffle`, a permutation
/// that depends on `seed` and `epoch` alone.
pub fn epoch_order(n: usize, seed: u64, epoch: u64, shuffle: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    if shuffle {
        Stream::new(seed, Purpose::Shuffle, epoch, 0).shuffle(&mut order);
    }
    order
}

/// Some images with their labels. Where ranks share a batch, the labels and indices are those of all of it,
/// and the images those of this rank's share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The images, `[N, H, W, C]`; those of files are RGB or grey, in [0, 1].
    pub images: Array4<f32>,
    /// For each image its class, or where it may have several labels, which combination of them it has.
    pub labels: Vec<Label>,
    /// For each image its labels, where it may have several; none else.
    pub sets: Vec<LabelSet>,
    /// For each image its index in the set.
    pub indices: Vec<usize>,
}

impl Batch {
    /// What its logits are compared with.
    pub fn targets(&self) -> Targets<'_> {
        Targets { sets: &self.sets, ..Targets::new(&self.labels) }
    }

    /// Makes it the batch of these images of height, width and channels `size`, each of the share written by
    /// `write`, which is given its place in the share and its index; without labels yet.
    fn fill(&mut self, size: [usize; 3], wanted: Wanted, write: impl Fn(usize, usize, &mut [f32]) + Sync) {
        let [height, width, channels] = size;
        let length = height * width * channels;
        let own = wanted.own();
        let mut values = std::mem::take(&mut self.images).into_raw_vec_and_offset().0;
        values.resize(own.len() * length, 0.0);
        let images = values.par_chunks_exact_mut(length).zip(own).enumerate();
        images.for_each(|(place, (image, &index))| task(Activity::Filling, "", || write(place, index, image)));
        self.images = Array4::from_shape_vec((own.len(), height, width, channels), values)
            .expect("the values were just sized for this shape");
        self.indices = wanted.indices;
        self.labels.clear();
        self.sets.clear();
    }

    /// Adds the labels of the images that were written.
    fn label(&mut self, images: &Images) {
        self.labels.extend(self.indices.iter().map(|&index| images.label(index)));
        self.sets.extend(self.indices.iter().filter_map(|&index| images.set(index)));
    }
}

/// The images of a batch, and those of them that are read here.
#[derive(Debug)]
struct Wanted {
    indices: Vec<usize>,
    share: Range<usize>,
}

impl Wanted {
    fn own(&self) -> &[usize] {
        &self.indices[self.share.clone()]
    }
}

/// Which changes the images of an epoch get, and what they are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augmented {
    /// The kinds of changes.
    pub augmentation: Augmentation,
    /// The run's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
}

/// Where a loader has its images from.
#[derive(Clone, Debug)]
enum Images {
    Files(Arc<ImageSet>),
    Arrays(Arc<ArraySet>),
}

/// Cuts a set of images into batches.
#[derive(Clone, Debug)]
pub struct Loader {
    images: Images,
    batch_size: usize,
}

impl Loader {
    /// A loader of `batch_size` images at a time, of files.
    ///
    /// # Errors
    /// [`Error::Setting`] if `batch_size` is 0.
    pub fn new(images: Arc<ImageSet>, batch_size: usize) -> Result<Loader> {
        Loader::from_images(Images::Files(images), batch_size)
    }

    /// A loader of `batch_size` images at a time, of arrays.
    ///
    /// # Errors
    /// [`Error::Setting`] if `batch_size` is 0.
    pub fn from_arrays(images: ArraySet, batch_size: usize) -> Result<Loader> {
        Loader::from_images(Images::Arrays(Arc::new(images)), batch_size)
    }

    fn from_images(images: Images, batch_size: usize) -> Result<Loader> {
        match batch_size {
            0 => Err(Error::value("batch_size", 0, "it must be at least 1; the documented run uses 16")),
            _ => Ok(Loader { images, batch_size }),
        }
    }

    /// Whether its images are files, which alone can be [changed](super::augment).
    pub fn has_files(&self) -> bool {
        matches!(self.images, Images::Files(_))
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.images.count()
    }

    /// Bytes of the decoded pictures that are kept by now; of arrays those of all.
    pub fn kept_bytes(&self) -> usize {
        match &self.images {
            Images::Files(files) => {
                (0..self.count()).filter_map(|index| files.kept(index)).map(|kept| kept.bytes()).sum()
            }
            Images::Arrays(arrays) => self.count() * arrays.size().iter().product::<usize>() * size_of::<f32>(),
        }
    }

    /// The name of the image at `index`: that of its file, or of an array its number from 0, as `image 3`.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn image_name(&self, index: usize) -> String {
        match &self.images {
            Images::Files(files) => files.items()[index].name().into_owned(),
            Images::Arrays(arrays) => {
                assert!(index < arrays.count(), "there are {} images", arrays.count());
                format!("image {index}")
            }
        }
    }

    /// The first pixel that is not finite, and the indices of all images with such. Files have none.
    pub fn pixels_not_finite(&self) -> Option<(f32, Vec<usize>)> {
        let Images::Arrays(arrays) = &self.images else { return None };
        let fault = |index: usize| arrays.image(index).iter().copied().find(|pixel| !pixel.is_finite());
        let indices: Vec<usize> = (0..arrays.count()).filter(|&index| fault(index).is_some()).collect();
        Some((fault(*indices.first()?)?, indices))
    }

    /// Checks whether the images have what a network with this head answers: a class, or several labels.
    ///
    /// # Errors
    /// [`Error::Setting`] if they have the other, or if one is of a class, or has a label, beyond those of
    /// the head.
    pub fn check_head(&self, head: Head) -> Result<()> {
        if !head.has_several_labels() {
            return self.class_counts(head.classes()).map(|_| ());
        }
        for index in 0..self.count() {
            let Some(set) = self.images.set(index) else {
                let reason = "an image may have several for this network, and these images are each of one class; give sets of labels";
                return Err(Error::setting("labels", reason));
            };
            if let Some(label) = set.labels().find(|label| label.index() >= head.units()) {
                let reason = format!("{label} is one of them, and the network knows {}, from 0", head.units());
                return Err(Error::setting("labels", reason));
            }
        }
        Ok(())
    }

    /// How many images each of this many classes has.
    ///
    /// # Errors
    /// [`Error::Setting`] if an image is of a class beyond them, or if images may have several labels.
    pub fn class_counts(&self, classes: usize) -> Result<Vec<usize>> {
        if (0..self.count()).any(|index| self.images.set(index).is_some()) {
            let reason =
                "these images may have several, and are not each of one class; give a network for several labels";
            return Err(Error::setting("labels", reason));
        }
        let mut counts = vec![0; classes];
        for index in 0..self.count() {
            let label = self.images.label(index);
            let Some(count) = counts.get_mut(label.index()) else {
                let reason = format!("{label} is one of them, and the network tells {classes} classes apart, from 0");
                return Err(Error::setting("labels", reason));
            };
            *count += 1;
        }
        Ok(counts)
    }

    /// How many batches an epoch over all images has: ⌈n / batch size⌉.
    pub fn batches(&self) -> usize {
        self.count().div_ceil(self.batch_size)
    }

    /// How many images a batch has; the last of an epoch may have fewer.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The class of the image at each index, or which combination of labels it has; and where images may have
    /// several labels, those of each.
    pub(crate) fn all_labels(&self) -> (Vec<Label>, Vec<LabelSet>) {
        let indices = 0..self.count();
        let labels = indices.clone().map(|index| self.images.label(index)).collect();
        (labels, indices.filter_map(|index| self.images.set(index)).collect())
    }

    /// The size of the largest batch.
    pub fn largest_batch(&self) -> usize {
        self.batch_size.min(self.count())
    }

    /// The images at `order`, batch by batch; the last batch may be smaller. Decoding starts at once, in the
    /// rayon pool the caller is in, or in rayon's global one outside of any.
    ///
    /// # Panics
    /// If `order` holds an index that is not that of an image.
    pub fn epoch(&self, order: Vec<usize>) -> Epoch {
        self.rest_of_epoch(order, 0, None)
    }

    /// [`Loader::epoch`] without its first `batches`, for a run that goes on in the middle of an epoch, and
    /// with each image [changed](super::augment) as `augmented` draws it. Arrays are never changed.
    ///
    /// # Panics
    /// If `order` holds an index that is not that of an image.
    pub fn rest_of_epoch(&self, order: Vec<usize>, batches: usize, augmented: Option<Augmented>) -> Epoch {
        self.share_of_epoch(order, batches, augmented, |count| 0..count)
    }

    /// [`Loader::rest_of_epoch`] of which only a share of each batch is read: the places that `share` gives
    /// for the number of images in a batch.
    ///
    /// # Panics
    /// If `order` holds an index that is not that of an image, or a share is none of its batch.
    pub fn share_of_epoch(
        &self,
        order: Vec<usize>,
        batches: usize,
        augmented: Option<Augmented>,
        share: impl Fn(usize) -> Range<usize>,
    ) -> Epoch {
        let shares = [share(self.batch_size), share(order.len() % self.batch_size)];
        let count = self.count();
        assert!(order.iter().all(|&index| index < count), "an order names an image beyond the {count} there are");
        let mut epoch = Epoch {
            images: self.images.clone(),
            batch_size: self.batch_size,
            augmented,
            asked: order.len().min(batches.saturating_mul(self.batch_size)),
            order,
            shares,
            queue: VecDeque::new(),
            waited: Duration::ZERO,
            wanted: Arc::new(()),
        };
        epoch.ask_ahead();
        epoch
    }
}

impl Images {
    fn count(&self) -> usize {
        match self {
            Images::Files(files) => files.items().len(),
            Images::Arrays(arrays) => arrays.count(),
        }
    }

    /// The class of the image at `index`.
    fn label(&self, index: usize) -> Label {
        match self {
            Images::Files(files) => files.items()[index].label,
            Images::Arrays(arrays) => arrays.labels()[index],
        }
    }

    /// The labels of the image at `index`, where it may have several.
    fn set(&self, index: usize) -> Option<LabelSet> {
        match self {
            Images::Files(files) => files.items()[index].labels,
            Images::Arrays(arrays) => arrays.sets().map(|sets| sets[index]),
        }
    }
}

/// The batches of one epoch. Dropping it early is fine: tasks not begun do nothing, those begun finish for
/// nobody.
#[derive(Debug)]
pub struct Epoch {
    images: Images,
    batch_size: usize,
    augmented: Option<Augmented>,
    order: Vec<usize>,
    /// The share that is read of a whole batch, and of the last one if that is smaller.
    shares: [Range<usize>; 2],
    /// How many places of `order` have been asked for.
    asked: usize,
    /// The batches asked for and not yet taken, at most [`BATCHES_AHEAD`].
    queue: VecDeque<Ahead>,
    waited: Duration,
    /// Lives as long as anybody wants the pictures; tasks hold it weakly.
    wanted: Arc<()>,
}

/// A batch that is being decoded.
#[derive(Debug)]
struct Ahead {
    wanted: Wanted,
    /// The pictures in the order they are done, each with its place in the share.
    arrivals: Receiver<Arrival>,
}

/// A picture, or why there is none, and its place in the share.
type Arrival = (usize, Result<PictureSamples>);

impl Epoch {
    /// Makes `batch` the next batch, in the memory it already has. `false` means the epoch is over, and
    /// `batch` is as before.
    ///
    /// # Errors
    /// Those of [`ImageSet::picture`], for the first picture of the batch that has any. The next call goes on
    /// with the next batch.
    pub fn next_into(&mut self, batch: &mut Batch) -> Result<bool> {
        match self.images.clone() {
            Images::Files(files) => self.next_of_files(&files, batch),
            Images::Arrays(arrays) => Ok(self.next_of_arrays(&arrays, batch)),
        }
    }

    fn next_of_files(&mut self, images: &ImageSet, batch: &mut Batch) -> Result<bool> {
        let Some(ahead) = self.queue.pop_front() else { return Ok(false) };
        self.ask_ahead();
        let start = Instant::now();
        let pictures = ahead.wait();
        self.waited += start.elapsed();
        let pictures = pictures?;
        let size = images.size();
        let augmented = self.augmented;
        batch.fill(size, ahead.wanted, |place, index, image| {
            let draw = |Augmented { augmentation, seed, epoch }| augmentation.draw(seed, epoch, index as u64);
            augmented.map_or_else(Change::default, draw).apply_to(&pictures[place], size, image);
        });
        batch.label(&self.images);
        Ok(true)
    }

    fn next_of_arrays(&mut self, images: &ArraySet, batch: &mut Batch) -> bool {
        let Some(wanted) = self.next_wanted() else { return false };
        batch.fill(images.size(), wanted, |_, index, image| image.copy_from_slice(images.image(index)));
        batch.label(&self.images);
        true
    }

    /// The next batch that nobody has asked for.
    fn next_wanted(&mut self) -> Option<Wanted> {
        let end = self.order.len().min(self.asked + self.batch_size);
        let indices = self.order[self.asked..end].to_vec();
        self.asked = end;
        let [whole, last] = &self.shares;
        let share = if indices.len() == self.batch_size { whole } else { last };
        (!indices.is_empty()).then(|| Wanted { share: share.clone(), indices })
    }

    /// How long [`next_into`](Epoch::next_into) has waited for pictures so far. While it waits the calling
    /// thread decodes too; what is decoded beside the caller's own work is not counted.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Asks for batches until [`BATCHES_AHEAD`] are under way or the order is used up.
    fn ask_ahead(&mut self) {
        let Images::Files(images) = self.images.clone() else { return };
        while self.queue.len() < BATCHES_AHEAD
            && let Some(wanted) = self.next_wanted()
        {
            self.queue.push_back(self.ask_for(&images, wanted));
        }
    }

    /// Starts a task for each picture that is not at hand. First asked is first decoded.
    fn ask_for(&self, images: &Arc<ImageSet>, wanted: Wanted) -> Ahead {
        let (sender, arrivals) = channel();
        for (place, &index) in wanted.own().iter().enumerate() {
            // Sending fails only if the epoch is gone, and then nobody wants to know.
            if let Some(picture) = images.kept(index) {
                let _ = sender.send((place, Ok(picture)));
                continue;
            }
            let (images, wanted, sender) = (Arc::clone(images), Arc::downgrade(&self.wanted), sender.clone());
            rayon::spawn_fifo(move || {
                if wanted.strong_count() > 0 {
                    let picture = task(Activity::Decoding, "", || images.picture(index));
                    let _ = sender.send((place, picture));
                }
            });
        }
        Ahead { wanted, arrivals }
    }
}

impl Ahead {
    /// All pictures in the order of their places, or the error of the first that has one.
    fn wait(&self) -> Result<Vec<PictureSamples>> {
        let mut pictures: Vec<Option<Result<PictureSamples>>> = self.wanted.own().iter().map(|_| None).collect();
        while pictures.iter().any(Option::is_none) {
            let (place, picture) = self.next_arrival().expect("a task that was begun sends its picture or its error");
            pictures[place] = Some(picture);
        }
        pictures.into_iter().flatten().collect()
    }

    /// The next picture that is done; until there is one, this thread works on the pool's tasks, of which it
    /// may be one.
    fn next_arrival(&self) -> Option<Arrival> {
        loop {
            if let Ok(arrival) = self.arrivals.try_recv() {
                return Some(arrival);
            }
            match rayon::yield_now() {
                Some(rayon::Yield::Executed) => {}
                Some(rayon::Yield::Idle) => match self.arrivals.recv_timeout(IDLE_WAIT) {
                    Ok(arrival) => return Some(arrival),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return None,
                },
                None => return self.arrivals.recv().ok(),
            }
        }
    }
}

impl Iterator for Epoch {
    type Item = Result<Batch>;

    /// The next batch in memory of its own; [`next_into`](Epoch::next_into) saves that.
    fn next(&mut self) -> Option<Result<Batch>> {
        let mut batch = Batch::default();
        match self.next_into(&mut batch) {
            Ok(true) => Some(Ok(batch)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}
