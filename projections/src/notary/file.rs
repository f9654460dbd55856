//! Checkpoints in a file: one signed note after the other, an empty line after each. A copy on another machine or medium is a witness that
//! whoever changes the database cannot change with it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sqlx::PgPool;

use super::note::NOTE_BYTES_MAX;
use super::store;

/// Checkpoints that are written at once.
const PAGE_NOTES_MAX: i64 = 1_000;

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The disk.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Keeps a file up with the checkpoints in the database, whichever node signed them.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    path: PathBuf,
    /// The size of the last one in it, once that is known.
    last: Option<u64>,
}

impl CheckpointFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, last: None }
    }

    /// Appends what is not in it yet, up to this size.
    pub(super) async fn catch_up(&mut self, pool: &PgPool, newest: u64) -> Result<(), FileError> {
        let mut last = match self.last.take() {
            Some(last) => last,
            None => self.blocking(prepare).await?,
        };
        while last < newest {
            let page = store::after(pool, last, PAGE_NOTES_MAX).await?;
            let Some(end) = page.last().map(|kept| kept.size) else { break };
            let text: String = page.iter().flat_map(|kept| [kept.note.as_str(), "\n"]).collect();
            self.blocking(move |path| append(path, &text)).await?;
            last = end;
        }
        self.last = Some(last);
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FileError> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        done.map_err(io::Error::other)
            .flatten()
            .map_err(|error| FileError::File(self.path.display().to_string(), error))
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// Makes the file if there is none, cuts off a note that was only half written, and tells the size of the last whole one.
fn prepare(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(2 * NOTE_BYTES_MAX as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    let Some((whole, size)) = last_whole(&text) else {
        let strange = "it holds something else than checkpoints; give another file";
        return if length == 0 { Ok(0) } else { Err(io::Error::new(ErrorKind::InvalidData, strange)) };
    };
    let cut = u64::try_from(text.len() - whole).unwrap_or(0);
    if cut > 0 {
        file.set_len(length - cut)?;
        file.sync_all()?;
    }
    Ok(size)
}

/// Where the last whole note ends, and of which size it is.
fn last_whole(text: &str) -> Option<(usize, u64)> {
    let mut end = text.len();
    loop {
        end = text.get(..end)?.rfind("\n\n")?;
        let (body, signatures) = text.get(..end)?.rsplit_once("\n\n")?;
        if signatures.starts_with("— ") {
            let start = body.rfind("\n\n").map_or(0, |before| before + 2);
            let size = body.get(start..)?.trim_start_matches('\n').lines().nth(1)?;
            return Some((end + 2, size.parse().ok()?));
        }
    }
}

/// Reads notes one by one, in constant memory.
#[derive(Debug)]
pub struct Notes<R> {
    reader: R,
}

impl Notes<io::BufReader<File>> {
    /// Of a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::of(io::BufReader::new(File::open(path)?)))
    }
}

impl<R: BufRead> Notes<R> {
    /// Of anything.
    pub const fn of(reader: R) -> Self {
        Self { reader }
    }

    /// The lines up to the next empty one, and whether that one was there; before it, empty lines are passed over.
    fn block(&mut self) -> io::Result<String> {
        let mut block = String::new();
        loop {
            let room = u64::try_from(NOTE_BYTES_MAX.saturating_sub(block.len())).unwrap_or(0);
            let before = block.len();
            let read = self.reader.by_ref().take(room).read_line(&mut block)?;
            match block.get(before..) {
                Some("\n") if before == 0 => block.clear(),
                Some("\n") => return Ok(block),
                _ if read == 0 && room == 0 => {
                    return Err(io::Error::new(ErrorKind::InvalidData, "a note is too long"));
                }
                _ if read == 0 => return Ok(block),
                _ => {}
            }
        }
    }
}

impl<R: BufRead> Iterator for Notes<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        // The empty line after the signatures separates notes and belongs to none.
        let whole = |reader: &mut Self, text: String| {
            let signatures = reader.block()?;
            Ok(text + signatures.trim_end_matches('\n') + "\n")
        };
        match self.block() {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(whole(self, text)),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "log\n7\nroot\n\n— log c2ln\n\n";
    const TWO: &str = "log\n12\nroot\n\n— log c2ln\n— witness c2ln\n\n";

    #[test]
    fn a_note_that_was_half_written_is_cut_off_wherever_it_ends() {
        for cut in 0..TWO.len() {
            let Some(torn) = TWO.get(..cut) else { continue };
            assert_eq!(last_whole(&format!("{ONE}{torn}")), Some((ONE.len(), 7)), "{torn:?}");
        }
        assert_eq!(last_whole(&format!("{ONE}{TWO}")), Some((ONE.len() + TWO.len(), 12)));
        assert_eq!(last_whole(TWO), Some((TWO.len(), 12)));
        assert_eq!(last_whole("something else"), None);
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes");
        std::fs::write(&file, "my diary\n\nof 2026\n").unwrap();
        assert!(prepare(&file).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "my diary\n\nof 2026\n");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(prepare(&file).unwrap(), 0);
        append(&file, &format!("{ONE}{TWO}log\n20")).unwrap();
        assert_eq!(prepare(&file).unwrap(), 12);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{ONE}{TWO}"));
    }

    #[test]
    fn notes_are_read_back_as_they_were_written_and_one_alone_needs_no_empty_line_after_it() {
        let read = |text: &str| Notes::of(text.as_bytes()).collect::<io::Result<Vec<_>>>().unwrap();
        let (one, two) = (ONE.strip_suffix('\n').unwrap(), TWO.strip_suffix('\n').unwrap());
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(read(&format!("{ONE}{TWO}")), [one, two]);
        assert_eq!(read(one), [one]);
        assert_eq!(read("\n\n"), Vec::<String>::new());
        assert!(Notes::of("x".repeat(NOTE_BYTES_MAX + 1).as_bytes()).next().unwrap().is_err());
    }
}
