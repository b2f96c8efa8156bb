//! The records of an uploaded file: CSV with a header line, or JSON. Cells become values by the types of the schema.

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
        let records = read(self.schema(), file_name, content)?;
        records.into_iter().for_each(|fields| self.add(fields));
        Ok(())
    }
}

fn read(schema: &Schema, file_name: &str, content: &[u8]) -> Result<Vec<Fields>, Fault> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let name = file_name.to_ascii_lowercase();
    let first = content.iter().find(|byte| !byte.is_ascii_whitespace());
    let looks_like_json = matches!(first, Some(b'[' | b'{')) && !name.ends_with(".csv");
    match name.ends_with(".json") || looks_like_json {
        true => read_json(content),
        false => read_csv(schema, content),
    }
}

fn read_json(content: &[u8]) -> Result<Vec<Fields>, Fault> {
    let json = serde_json::from_slice(content)
        .map_err(|error| Fault::bad_request(format!("The file is not JSON: {error}")))?;
    let records = match json {
        Value::Array(records) => records,
        record => vec![record],
    };
    let records = records.into_iter().map(|record| match record {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Fault::bad_request("The file must hold a list of objects"))
        }
    });
    records.collect()
}

fn read_csv(schema: &Schema, content: &[u8]) -> Result<Vec<Fields>, Fault> {
    let unreadable =
        |error: csv::Error| Fault::bad_request(format!("The file is not CSV: {error}"));
    let mut lines = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(content);
    let names: Vec<String> = lines
        .headers()
        .map_err(unreadable)?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let mut records = Vec::new();
    for line in lines.records() {
        let line = line.map_err(unreadable)?;
        let cells = names
            .iter()
            .zip(line.iter())
            .filter(|(_, cell)| !cell.is_empty());
        let fields = cells.map(|(name, cell)| (name.clone(), value(schema.field(name), cell)));
        records.push(fields.collect());
    }
    Ok(records)
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
        let rows = read(&schema, "Upload.CSV", file.as_bytes()).unwrap();
        let expected = [
            json!({"title": "a, \"b\"", "stars": 3, "price": 1.5, "done": true, "tags": ["x", "y"], "place": {"k": 1}}),
            json!({"title": "7", "stars": "three", "done": false, "tags": [1, 2], "note": "text"}),
        ];
        assert_eq!(
            rows.into_iter().map(Value::Object).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn json_is_known_by_name_or_by_its_first_character() {
        let schema = Schema::bare("Task");
        for (name, content) in [("a.json", r#"{"a":1}"#), ("upload", r#" [{"a":1}]"#)] {
            let rows = read(&schema, name, content.as_bytes()).unwrap();
            assert_eq!(rows[0]["a"], 1, "{name}");
        }
        assert!(read(&schema, "a.json", b"[1]").is_err());
    }
}
