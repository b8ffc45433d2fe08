//! Pictures that people send: whatever it was becomes small JPEGs that hold
//! nothing but pixels, squares of a photo of a person and whole ones of a
//! picture in a message.
//!
//! The bytes say what they are, not a header or a name. Size in pixels and in
//! decoded memory is known from the picture's head and refused before
//! anything is decoded. What is stored was written here: no metadata, no
//! position, no colour profile, and nothing that was appended. What is kept as
//! it came loses what is no picture of it ([`cleaned`]).

mod metadata;
mod queue;

use std::io::Cursor;

use ::image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, RgbImage,
    codecs::{
        gif::GifDecoder,
        jpeg::{JpegDecoder, JpegEncoder},
        png::PngDecoder,
        webp::WebPDecoder,
    },
    error::ImageFormatHint,
    metadata::Orientation,
};
use bytes::Bytes;
use proto::{Code, Error, Result, limits};
use tokio::sync::{Semaphore, SemaphorePermit};

pub use self::{
    metadata::cleaned,
    queue::{Turn, turn},
};

/// Sides of the squares, in pixels. A smaller picture is not made larger.
pub const SIDES: [u32; 2] = [512, 96];
const QUALITY: u8 = 85;
/// One picture is decoded at a time: it may take 200 MB for a moment.
static DECODING: Semaphore = Semaphore::const_new(1);
/// Beyond this many waiting, whoever comes is told to come back. Each holds
/// the bytes it sent.
static WAITING: Semaphore = Semaphore::const_new(16);

/// Longest sides of the pictures shown in a message, the largest first.
pub const SHOWN: [u32; 2] = [1_600, 320];

/// The squares, as JPEG, in the order of [`SIDES`].
pub type Squares = [Vec<u8>; 2];

/// A place in the queue, taken before the bytes are read.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held")] tokio::sync::SemaphorePermit<'static>);

/// `overloaded` where too many wait.
pub fn place() -> Result<Place> {
    WAITING.try_acquire().map(Place).map_err(|_| Error::api(Code::Overloaded))
}

/// Reads and squares a photo, away from the threads that serve.
pub async fn squares(_place: Place, bytes: Vec<u8>) -> Result<Squares> {
    apart(decoding().await?, move || square(&bytes)).await
}

/// What is shown of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Of the upright original, in pixels.
    pub width: u32,
    pub height: u32,
    /// Red, green and blue of all of it together, to be shown until it is there.
    pub colour: [u8; 3],
    /// Whether the original may move: an animated png or webp, any gif.
    pub animated: bool,
    /// As JPEG, upright, in the order of [`SHOWN`].
    pub shown: [Vec<u8>; 2],
}

/// Reads a png, jpeg, gif or webp, away from the threads that serve, at its
/// [`turn`]. Refuses with `image_unsupported`, `image_too_large` or
/// `image_broken`.
pub async fn picture(turn: Turn, bytes: Bytes) -> Result<Picture> {
    apart(turn, move || show(&bytes)).await
}

async fn decoding() -> Result<SemaphorePermit<'static>> {
    DECODING.acquire().await.map_err(Error::internal)
}

async fn apart<T: Send + 'static>(
    turn: impl Send + 'static,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    // The turn goes along: a request that is given up goes on decoding.
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    // A decoder that panics met a broken picture.
    work.await.unwrap_or_else(|_| Err(Code::ImageBroken.into()))
}

fn broken(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Code::ImageTooLarge.into(),
        ImageError::Unsupported(e) => Error::api(Code::ImageUnsupported).detail(e.to_string()),
        other => Error::api(Code::ImageBroken).detail(other.to_string()),
    }
}

fn bounds() -> Limits {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::PHOTO_SIDE as u32);
    bounds.max_image_height = Some(limits::PHOTO_SIDE as u32);
    bounds.max_alloc = Some(limits::PHOTO_DECODED_BYTES as u64);
    bounds
}

/// A decoded picture, still as its camera was held.
struct Decoded {
    pixels: DynamicImage,
    orientation: Orientation,
    animated: bool,
}

fn square(bytes: &[u8]) -> Result<Squares> {
    let unsupported = || Error::api(Code::ImageUnsupported);
    if ::image::guess_format(bytes).map_err(|_| unsupported())? == ImageFormat::Gif {
        return Err(unsupported().detail("gif"));
    }
    let Decoded { pixels, orientation, .. } = read(bytes, true)?;
    let mut picture = cover(&pixels, SIDES[0]);
    drop(pixels);
    picture.apply_orientation(orientation);
    let large = flat(&picture);
    let small = flat(&cover(&DynamicImage::ImageRgb8(large.clone()), SIDES[1]));
    Ok([jpeg(&large)?, jpeg(&small)?])
}

fn show(bytes: &[u8]) -> Result<Picture> {
    let Decoded { pixels, orientation, animated } = read(bytes, false)?;
    let (mut width, mut height) = (pixels.width(), pixels.height());
    let mut picture = within(&pixels, SHOWN[0]).unwrap_or(pixels);
    picture.apply_orientation(orientation);
    if matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    ) {
        (width, height) = (height, width);
    }
    let large = flat(&picture);
    drop(picture);
    let whole = DynamicImage::ImageRgb8(large);
    let small = within(&whole, SHOWN[1]).map(|small| small.to_rgb8());
    let large = whole.into_rgb8();
    let small = small.unwrap_or_else(|| large.clone());
    let colour = mean(&small);
    Ok(Picture { width, height, colour, animated, shown: [jpeg(&large)?, jpeg(&small)?] })
}

/// The picture made so small that no side is longer; `None` where it is small
/// enough.
fn within(picture: &DynamicImage, side: u32) -> Option<DynamicImage> {
    let (width, height) = (picture.width(), picture.height());
    let long = width.max(height);
    let scaled =
        |length: u32| u32::try_from(u64::from(length) * u64::from(side) / u64::from(long)).unwrap_or(side).max(1);
    (long > side).then(|| picture.thumbnail_exact(scaled(width), scaled(height)))
}

fn mean(picture: &RgbImage) -> [u8; 3] {
    let count = u64::from(picture.width()) * u64::from(picture.height());
    let mut sums = [0_u64; 3];
    for pixel in picture.pixels() {
        for (sum, value) in sums.iter_mut().zip(pixel.0) {
            *sum += u64::from(value);
        }
    }
    sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
}

/// Decodes a picture whose size is within bounds; a moving one only where it
/// need not be `still`, and then its first frame.
fn read(bytes: &[u8], still: bool) -> Result<Decoded> {
    let unsupported = || Error::api(Code::ImageUnsupported);
    let moving = |animated: bool| if animated && still { Err(unsupported().detail("animated")) } else { Ok(animated) };
    match ::image::guess_format(bytes).map_err(|_| unsupported())? {
        ImageFormat::Png => {
            let png = PngDecoder::with_limits(Cursor::new(bytes), bounds()).map_err(broken)?;
            let animated = moving(png.is_apng().map_err(broken)?)?;
            decode(png, limits::PHOTO_PIXELS, animated)
        }
        ImageFormat::Jpeg => {
            let most = if is_progressive(bytes) { PROGRESSIVE_PIXELS } else { limits::PHOTO_PIXELS };
            decode(JpegDecoder::new(Cursor::new(bytes)).map_err(broken)?, most, false)
        }
        ImageFormat::WebP => {
            let webp = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
            let animated = moving(webp.has_animation())?;
            decode(webp, limits::PHOTO_PIXELS, animated)
        }
        // How many frames a gif has is known only from reading all of it.
        ImageFormat::Gif => decode(GifDecoder::new(Cursor::new(bytes)).map_err(broken)?, limits::PHOTO_PIXELS, true),
        other => Err(unsupported().detail(ImageFormatHint::Exact(other).to_string())),
    }
}

/// A progressive JPEG keeps two bytes for each coefficient until its last
/// scan, beside the pixels, and may come in many scans.
const PROGRESSIVE_PIXELS: usize = limits::PHOTO_PIXELS / 3;

/// Whether the frame's head says progressive (ITU-T T.81 B.2.2: SOF2, or its
/// differential and arithmetic kin). Segments before it are walked over.
fn is_progressive(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let [0xff, marker, rest @ ..] = jpeg.get(at..).unwrap_or_default() {
        match marker {
            // Fill bytes, and markers without a length.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // Frames: C4, C8 and CC are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return !matches!(marker, 0xc0 | 0xc1),
            _ => match rest {
                [high, low, ..] => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
                _ => return false,
            },
        }
    }
    false
}

fn decode(mut decoder: impl ImageDecoder, most: usize, animated: bool) -> Result<Decoded> {
    decoder.set_limits(bounds()).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > most as u64 || decoder.total_bytes() > limits::PHOTO_DECODED_BYTES as u64 {
        return Err(Error::api(Code::ImageTooLarge).with("limit", most));
    }
    if width == 0 || height == 0 {
        return Err(Code::ImageBroken.into());
    }
    // A camera that was held upright says so in its metadata only.
    let orientation = decoder.orientation().map_err(broken)?;
    let pixels = DynamicImage::from_decoder(decoder).map_err(broken)?;
    Ok(Decoded { pixels, orientation, animated })
}

/// The square in the middle, at most `side` wide. It is made small first, so
/// that a large picture is never copied.
fn cover(picture: &DynamicImage, side: u32) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let short = width.min(height);
    let scaled = |length: u32| {
        let length = u64::from(length) * u64::from(side) / u64::from(short);
        u32::try_from(length).unwrap_or(u32::MAX).max(1)
    };
    let small = (short > side).then(|| picture.thumbnail_exact(scaled(width), scaled(height)));
    let picture = small.as_ref().unwrap_or(picture);
    let side = picture.width().min(picture.height());
    picture.crop_imm((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
}

/// Eight bits of three colours; what was transparent is white.
fn flat(picture: &DynamicImage) -> RgbImage {
    let rgba = picture.to_rgba8();
    let over = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u32::from(colour), u32::from(alpha));
        u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0;
        ::image::Rgb([over(r, a), over(g, a), over(b, a)])
    })
}

fn jpeg(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY).encode_image(picture).map_err(Error::internal)?;
    Ok(out)
}
