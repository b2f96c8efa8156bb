//! The records of an uploaded file: CSV with a header line, or JSON. Cells become values by the types of the schema.

use std::io::Read as _;

use serde_json::{Number, Value};

use super::Batch;
use crate::core::{
    fault::Fault,
    record::Fields,
    schema::{Field, Schema, Type},
};

impl Batch {
    /// Adds the records of a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn add_file(&mut self, file_name: &str, content: &[u8]) -> Result<(), Fault> {
        let Table { unit, rows } = read(self.schema(), file_name, content)?;
        for (number, fields) in rows {
            self.add_from(unit, number, fields);
        }
        Ok(())
    }
}

/// What a file holds.
#[derive(Debug)]
struct Table {
    /// What the numbers count.
    unit: &'static str,
    /// Each record with its number in the file, from 1.
    rows: Vec<(u64, Fields)>,
}

fn read(schema: &Schema, file_name: &str, content: &[u8]) -> Result<Table, Fault> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let name = file_name.to_ascii_lowercase();
    let first = content.iter().find(|byte| !byte.is_ascii_whitespace());
    let looks_like_json = matches!(first, Some(b'[' | b'{')) && !name.ends_with(".csv");
    match name.ends_with(".json") || looks_like_json {
        true => read_json(content),
        false => read_csv(schema, content),
    }
}

fn read_json(content: &[u8]) -> Result<Table, Fault> {
    let json = serde_json::from_slice(content)
        .map_err(|error| Fault::bad_request(format!("The file is not JSON: {error}")))?;
    let records = match json {
        Value::Array(records) => records,
        record => vec![record],
    };
    let rows = (1..).zip(records).map(|(number, record)| match record {
        Value::Object(fields) => Ok((number, fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Fault::bad_request("The file must hold a list of objects"))
        }
    });
    Ok(Table {
        unit: "Record",
        rows: rows.collect::<Result<_, _>>()?,
    })
}

/// A line that no file has. Behind the content it is read as a line of its own, unless an open quote swallows it.
const END: &str = "\0";

fn read_csv(schema: &Schema, content: &[u8]) -> Result<Table, Fault> {
    let content = str::from_utf8(content).map_err(|error| {
        let place = error.valid_up_to();
        Fault::bad_request(format!(
            "The file is not text in UTF-8 (byte {place}): save it as CSV with that encoding"
        ))
    })?;
    let mut rows = Vec::new();
    let mut open = Some(1);
    if !content.trim().is_empty() {
        let mut lines = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(delimiter(schema, content))
            .from_reader(content.as_bytes().chain(b"\n\0\n".as_slice()));
        let names = columns(schema, lines.headers().map_err(|error| unreadable(&error))?)?;
        for line in lines.records() {
            let line = line.map_err(|error| unreadable(&error))?;
            open = line.position().map(csv::Position::line);
            if line.len() == 1 && &line[0] == END {
                open = None;
                break;
            }
            let number = open.unwrap_or_default();
            rows.push((number, record(schema, &names, number, &line)?));
        }
        if let Some(number) = open {
            let message = format!("Line {number}: a quote is not closed");
            return Err(Fault::bad_request(message));
        }
    }
    Ok(Table { unit: "Line", rows })
}

fn unreadable(error: &csv::Error) -> Fault {
    Fault::bad_request(format!("The file is not CSV: {error}"))
}

/// The character that splits the first line into the most names of fields: spreadsheets write semicolons where the
/// comma is a decimal sign, and tabs on request.
fn delimiter(schema: &Schema, content: &str) -> u8 {
    let header = content.trim_start().lines().next().unwrap_or_default();
    let known = |delimiter: u8| {
        let names = header.split(char::from(delimiter));
        let names = names.map(|name| name.trim().trim_matches('"'));
        names.filter(|name| schema.field(name).is_some()).count()
    };
    let others = [b';', b'\t'].into_iter();
    others.fold(b',', |best, other| match known(other) > known(best) {
        true => other,
        false => best,
    })
}

/// The names in the first line. A file of which nothing would be kept is not one of this entity.
fn columns(schema: &Schema, header: &csv::StringRecord) -> Result<Vec<String>, Fault> {
    let names: Vec<_> = header.iter().map(|name| name.trim().to_owned()).collect();
    match names.iter().any(|name| schema.field(name).is_some()) {
        true => Ok(names),
        false => Err(Fault::bad_request(format!(
            "None of the columns is a field of the entity: {}",
            names.join(", ")
        ))),
    }
}

fn record(
    schema: &Schema,
    names: &[String],
    number: u64,
    line: &csv::StringRecord,
) -> Result<Fields, Fault> {
    if line.iter().skip(names.len()).any(|cell| !cell.is_empty()) {
        return Err(Fault::bad_request(format!(
            "Line {number} has {} cells and the first line {}: text with a separator in it needs quotes",
            line.len(),
            names.len()
        )));
    }
    let cells = names.iter().zip(line).filter(|(_, cell)| !cell.is_empty());
    let fields = cells.map(|(name, cell)| (name.clone(), value(schema.field(name), cell)));
    Ok(fields.collect())
}

/// A cell that does not read as any of its field's types stays text, so that validation names it.
fn value(field: Option<&Field>, cell: &str) -> Value {
    let Some(field) = field else {
        return cell.into();
    };
    let read = field.types.iter().find_map(|kind| read_as(kind, cell));
    read.unwrap_or_else(|| cell.into())
}

fn read_as(kind: &Type, cell: &str) -> Option<Value> {
    let trimmed = cell.trim();
    match kind {
        Type::String => Some(cell.into()),
        Type::Number | Type::Integer => number(trimmed).map(Value::Number),
        Type::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true.into()),
            "false" | "0" | "no" => Some(false.into()),
            _ => None,
        },
        Type::Array => {
            let json = serde_json::from_str(trimmed).ok().filter(Value::is_array);
            let listed = || trimmed.split(',').map(|part| Value::from(part.trim()));
            Some(json.unwrap_or_else(|| Value::Array(listed().collect())))
        }
        Type::Object => serde_json::from_str(trimmed).ok().filter(Value::is_object),
        Type::Null => (trimmed == "null").then_some(Value::Null),
        Type::Unknown(_) => None,
    }
}

fn number(text: &str) -> Option<Number> {
    let whole = text.parse::<i64>().ok().map(Number::from);
    whole.or_else(|| Number::from_f64(text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;
    use crate::core::schema::Schema;

    #[test]
    fn cells_take_the_types_of_their_fields() {
        let document = json!({"properties": {
            "title": {"type": "string"}, "stars": {"type": "integer"}, "price": {"type": "number"},
            "done": {"type": "boolean"}, "tags": {"type": "array"}, "place": {"type": "object"},
            "note": {"type": ["null", "string"]}}});
        let document = serde_json::to_vec(&document).unwrap().into();
        let (schema, _) = Schema::compile("Task", "", document).unwrap();
        let file = "\u{feff}title,stars,price,done,tags,place,note\r\n\
                    \"a, \"\"b\"\"\",3,1.5,TRUE,\"x, y\",\"{\"\"k\"\":1}\",\n\
                    7,three,,0,\"[1,2]\",,text\n";
        let rows = read(&schema, "Upload.CSV", file.as_bytes()).unwrap().rows;
        let expected = [
            json!({"title": "a, \"b\"", "stars": 3, "price": 1.5, "done": true, "tags": ["x", "y"], "place": {"k": 1}}),
            json!({"title": "7", "stars": "three", "done": false, "tags": [1, 2], "note": "text"}),
        ];
        assert_eq!(
            rows.into_iter()
                .map(|(_, fields)| Value::Object(fields))
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn separators_line_ends_and_missing_cells_are_taken_as_spreadsheets_write_them() {
        let document = json!({"properties": {"name": {"type": "string"}, "n": {"type": "number"}}});
        let document = serde_json::to_vec(&document).unwrap().into();
        let (schema, _) = Schema::compile("Task", "", document).unwrap();
        let whole = json!([{"name": "a", "n": 1}, {"name": "b", "n": 2}]);
        let cases = [
            ("name,n\na,1\nb,2", whole.clone()),
            ("name;n\r\na;1\r\nb;2\r\n", whole.clone()),
            ("\"name\"\tn\ra\t1\rb\t2\r", whole.clone()),
            ("\n\nname , n\n\na, 1 ,,\nb,2\n\n", whole),
            ("name,n\na\n", json!([{"name": "a"}])),
            (
                "name,n\n\"a;\n\"\"b\"\"\",\n",
                json!([{"name": "a;\n\"b\""}]),
            ),
            ("name,n,other\na,,x\n", json!([{"name": "a", "other": "x"}])),
            ("name\n", json!([])),
            ("", json!([])),
            (" \r\n", json!([])),
        ];
        for (text, expected) in cases {
            let rows = read(&schema, "a.csv", text.as_bytes()).unwrap().rows;
            let rows = rows.into_iter().map(|(_, fields)| Value::Object(fields));
            assert_eq!(Value::Array(rows.collect()), expected, "{text:?}");
        }
        let refused: [(&[u8], &str); 6] = [
            (b"name,n\na,1\n\"b,2\n", "Line 3: a quote is not closed"),
            (b"\"name,n\na,1\n", "None of the columns"),
            (
                b"NAME|N\na|1\n",
                "None of the columns is a field of the entity: NAME|N",
            ),
            (
                b"name,n\na,1\nb,c,2\n",
                "Line 3 has 3 cells and the first line 2",
            ),
            (b"name\n\xe9\n", "not text in UTF-8 (byte 5)"),
            (b"PK\x03\x04", "None of the columns"),
        ];
        for (text, part) in refused {
            let message = read(&schema, "a.csv", text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn json_is_known_by_name_or_by_its_first_character() {
        let schema = Schema::bare("Task");
        for (name, content) in [("a.json", r#"{"a":1}"#), ("upload", r#" [{"a":1}]"#)] {
            let rows = read(&schema, name, content.as_bytes()).unwrap().rows;
            assert_eq!(rows[0].1["a"], 1, "{name}");
        }
        assert!(read(&schema, "a.json", b"[1]").is_err());
    }
}
