//! The CSV writer of all tables.

/// A table as CSV: a header, then the rows. Fields with commas, quotes or line ends are
/// quoted as in RFC 4180; lines end in a line feed.
///
/// ```
/// let table = brevity_draw::csv(&["coder", "rate"], [["xz, best", "0.25"]]);
/// assert_eq!(table, "coder,rate\n\"xz, best\",0.25\n");
/// ```
///
/// # Panics
///
/// If a row and the header differ in their number of fields.
pub fn csv<Row>(header: &[&str], rows: impl IntoIterator<Item = Row>) -> String
where
    Row: IntoIterator<Item: AsRef<str>>,
{
    let mut table = csv::Writer::from_writer(Vec::new());
    let whole = "a table in memory, with rows as long as its header";
    table.write_record(header).expect(whole);
    for row in rows {
        for field in row {
            table.write_field(field.as_ref()).expect(whole);
        }
        table.write_record(None::<&[u8]>).expect(whole);
    }
    let bytes = table.into_inner().expect(whole);
    String::from_utf8(bytes).expect("made of strings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        let odd = [
            "a,b",
            "say \"x\"",
            "two\nlines",
            "cr\r",
            "",
            " spaced ",
            "=1+1",
            "é, ½",
            "#",
        ];
        let rows = odd.map(|text| [text, "1"]);
        let table = csv(&["name", "n,m"], rows);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        assert_eq!(reader.headers().unwrap(), vec!["name", "n,m"]);
        let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(read.len(), odd.len());
        for (record, text) in read.iter().zip(odd) {
            assert_eq!(record, vec![text, "1"]);
        }
    }

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(
            csv(&["a", "b"], [["x y", "0.5"], ["", "-"]]),
            "a,b\nx y,0.5\n,-\n"
        );
    }
}
