//! One image, from its pixels and its random numbers to the changed pixels.

use std::cell::RefCell;

use kernels::{AlignedBuf, Isa, Stream, uniform};

use super::deskew;
use super::distortion::Distortion;
use super::elastic::Smoothing;
use super::error::{AugmentError, MAX_SIDE};
use super::matrix::{self, Matrix};
use super::paper::Paper;
use super::sample::{Sampler, Straight};
use super::shift;

/// What the random numbers of an image are a function of. So neither the order of images
/// nor the number of threads matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Seed of the run.
    pub seed: u64,
    /// The pass over the images, modulo 2³².
    pub epoch: u64,
    /// The index of the image, modulo 2³².
    pub sample: u64,
}

/// A [`Distortion`] for images of one size.
///
/// ```
/// use mnist_io::{Distortion, Key, Warp};
///
/// let warp = Warp::new(Distortion { rotate: 10.0, ..Distortion::default() }, 28, 28)?;
/// let isa = mnist_io::Isa::active()?;
/// let mut image = [0.5; 28 * 28];
/// warp.apply(isa, Key { seed: 1, epoch: 0, sample: 7 }, &mut image);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Warp {
    distortion: Distortion,
    deskew: bool,
    paper: Paper,
    rows: usize,
    cols: usize,
    method: Method,
}

/// The cheapest way to change an image as the settings say.
#[derive(Clone, Debug)]
enum Method {
    /// The image stays as it is.
    Nothing,
    /// All pixels have the same shift.
    Shift,
    /// One matrix maps all pixels.
    Sample(Sampler),
    /// A matrix, and a displacement for each pixel.
    Bend(Sampler, Smoothing),
}

/// Random numbers for the whole image: two for the shift, then rotation and shear, two for
/// the scale; the rest are reserved. After them come those for elastic displacements, a
/// grid for x and a grid for y.
const HEAD: usize = 16;

/// The third word of the counter. It keeps these random numbers apart from those of a
/// network, whose third word is the index of a layer.
const DOMAIN: u32 = u32::MAX;

/// Memory of a thread, which every image overwrites.
#[derive(Default)]
struct Scratch {
    numbers: AlignedBuf,
    table: AlignedBuf,
    fields: AlignedBuf,
    sums: AlignedBuf,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Warp {
    /// The largest number of rows, and of columns, of an image.
    pub const MAX_SIDE: usize = MAX_SIDE;

    /// For images of `rows` × `cols` pixels.
    ///
    /// # Errors
    /// As for [`Distortion::validate`], and [`AugmentError::Size`] where a side is not
    /// between 1 and [`MAX_SIDE`](Self::MAX_SIDE).
    pub fn new(distortion: Distortion, rows: usize, cols: usize) -> Result<Self, AugmentError> {
        distortion.validate()?;
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&rows) || !sides.contains(&cols) {
            return Err(AugmentError::Size { rows, cols });
        }
        let method = if distortion.is_identity() {
            Method::Nothing
        } else if (Distortion { shift: 0.0, ..distortion }).is_identity() {
            Method::Shift
        } else if distortion.elastic.displacement == 0.0 {
            Method::Sample(Sampler::new(rows, cols))
        } else {
            let smoothing = Smoothing::new(distortion.elastic, rows, cols);
            Method::Bend(Sampler::new(rows, cols), smoothing)
        };
        Ok(Self { distortion, deskew: false, paper: Paper::BLACK, rows, cols, method })
    }

    /// The same warp of images that are deskewed first: their ink stands upright in the
    /// middle, sheared back by its lean. The image is interpolated once for both.
    ///
    /// Without a [`Distortion`], it is a function of the image. Whoever predicts has to
    /// deskew too:
    ///
    /// ```
    /// use mnist_io::{Distortion, Key, Warp};
    ///
    /// let deskew = Warp::new(Distortion::default(), 3, 3)?.deskewed();
    /// let mut image = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
    /// deskew.apply(mnist_io::Isa::active()?, Key::default(), &mut image);
    /// assert_eq!(image, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn deskewed(self) -> Self {
        let method = match self.method {
            Method::Nothing | Method::Shift => Method::Sample(Sampler::new(self.rows, self.cols)),
            method => method,
        };
        Self { deskew: true, method, ..self }
    }

    /// The same warp of images whose ink is on `paper`. Without this it is
    /// [`Paper::BLACK`].
    ///
    /// ```
    /// use mnist_io::{Distortion, Key, Paper, Warp};
    ///
    /// // The stroke of the example of `deskewed`, in black on white.
    /// let white = Paper { level: 1.0, dark_ink: true };
    /// let deskew = Warp::new(Distortion::default(), 3, 3)?.deskewed().on(white);
    /// let mut image = [1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    /// deskew.apply(mnist_io::Isa::active()?, Key::default(), &mut image);
    /// assert_eq!(image, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on(self, paper: Paper) -> Self {
        Self { paper, ..self }
    }

    /// Changes one image of rows × cols values, row-major, in place.
    ///
    /// The result is a function of the image and of `key`, with the same bits on every
    /// instruction set that has a fused multiply-add.
    ///
    /// # Panics
    /// If the length of `image` is not rows × cols.
    pub fn apply(&self, isa: Isa, key: Key, image: &mut [f32]) {
        assert_eq!(image.len(), self.rows * self.cols, "{} x {} pixels", self.rows, self.cols);
        let nodes = match &self.method {
            Method::Nothing => return,
            Method::Shift | Method::Sample(_) => 0,
            Method::Bend(_, smoothing) => smoothing.nodes(),
        };
        if self.paper == Paper::BLACK {
            return self.move_ink(isa, key, nodes, image);
        }
        self.paper.to_ink(image);
        self.move_ink(isa, key, nodes, image);
        self.paper.put_ink(image);
    }

    /// Changes an image of ink on black; `nodes` random numbers are for displacements.
    fn move_ink(&self, isa: Isa, key: Key, nodes: usize, image: &mut [f32]) {
        // Nothing below calls this function, so nobody else borrows the memory.
        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch { numbers, table, fields, sums } = scratch;
            numbers.resize(HEAD + nodes);
            let counter = [key.sample as u32, key.epoch as u32, DOMAIN];
            uniform(isa, Stream { seed: key.seed, counter, first: 0 }, numbers);
            let (head, noise) = numbers.split_at(HEAD);
            match &self.method {
                Method::Nothing => {}
                Method::Shift => {
                    let [x, y] = matrix::shift(&self.distortion, head);
                    shift::shift(isa, self.rows, self.cols, [x, y], table, image);
                }
                Method::Sample(sampler) => {
                    let matrix = self.matrix(isa, head, sums, image);
                    sampler.sample(isa, &matrix, Straight, table, image);
                }
                Method::Bend(sampler, smoothing) => {
                    let matrix = self.matrix(isa, head, sums, image);
                    let field = smoothing.field(noise, fields);
                    sampler.sample(isa, &matrix, field, table, image);
                }
            }
        });
    }

    /// The part of the map that is the same for all pixels of `image`.
    fn matrix(&self, isa: Isa, head: &[f32], sums: &mut AlignedBuf, image: &[f32]) -> Matrix {
        let drawn = Matrix::draw(&self.distortion, head, self.rows, self.cols);
        if self.deskew { drawn.then(&deskew::upright(isa, self.cols, sums, image)) } else { drawn }
    }
}
