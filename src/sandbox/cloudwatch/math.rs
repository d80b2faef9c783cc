//! Metric math: arithmetic, comparison, the functions that dashboards for live video use, and
//! SEARCH. What is not here is refused by name, so that nothing is drawn wrong silently.

use std::collections::BTreeMap;

/// Values by time, in seconds; oldest first. A missing one is not there.
pub(crate) type Line = BTreeMap<i64, f64>;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Line(Line),
    /// With a label each.
    Lines(Vec<(String, Line)>),
}

/// What an expression may ask for.
pub(crate) trait Source {
    /// The data of a query of the request.
    fn line(&mut self, id: &str) -> Result<Value, String>;
    /// The data of all metrics of the request.
    fn metrics(&mut self) -> Result<Vec<(String, Line)>, String>;
    /// The data of what a SEARCH finds.
    fn search(&mut self, text: &str, statistic: &str, period: Option<i64>) -> Vec<(String, Line)>;
    /// The seconds of a datapoint.
    fn period(&self, id: &str) -> f64;
    /// The start of each datapoint of the asked time.
    fn times(&self) -> Vec<i64>;
}

/// Works an expression out.
pub(crate) fn evaluate(text: &str, source: &mut dyn Source) -> Result<Value, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        source,
    };
    let value = parser.comparison()?;
    match parser.tokens.get(parser.at) {
        None => Ok(value),
        Some(token) => Err(format!("{token:?} is not expected here")),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Text(String),
    Sign(char),
    /// `>=` `<=` `==` `!=`
    Pair(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let taken = if first.is_ascii_digit() {
            let length = length(|c| c.is_ascii_digit() || c == '.');
            let number = rest[..length]
                .parse()
                .map_err(|_| "a number is malformed")?;
            tokens.push(Token::Number(number));
            length
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = length(|c| c.is_ascii_alphanumeric() || c == '_');
            tokens.push(Token::Name(rest[..length].to_owned()));
            length
        } else if first == '\'' || first == '"' {
            let end = rest[1..].find(first).ok_or("a quote is not closed")?;
            tokens.push(Token::Text(rest[1..=end].to_owned()));
            end + 2
        } else if let Some(pair) = [">=", "<=", "==", "!="]
            .into_iter()
            .find(|pair| rest.starts_with(pair))
        {
            tokens.push(Token::Pair(pair));
            2
        } else if "+-*/^(),[]<>".contains(first) {
            tokens.push(Token::Sign(first));
            1
        } else {
            return Err(format!("`{first}` is not expected"));
        };
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    source: &'a mut dyn Source,
}

impl Parser<'_> {
    fn take(&mut self, sign: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(format!("`{sign}` is missing"))
        }
    }

    fn comparison(&mut self) -> Result<Value, String> {
        let left = self.sum()?;
        let compare: fn(f64, f64) -> bool = match self.tokens.get(self.at) {
            Some(Token::Sign('<')) => |a, b| a < b,
            Some(Token::Sign('>')) => |a, b| a > b,
            Some(Token::Pair(">=")) => |a, b| a >= b,
            Some(Token::Pair("<=")) => |a, b| a <= b,
            Some(Token::Pair("==")) => |a, b| (a - b).abs() < f64::EPSILON,
            Some(Token::Pair("!=")) => |a, b| (a - b).abs() >= f64::EPSILON,
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.sum()?;
        combine(&left, &right, &|a, b| {
            Some(f64::from(u8::from(compare(a, b))))
        })
    }

    fn sum(&mut self) -> Result<Value, String> {
        let mut left = self.product()?;
        loop {
            if self.take('+') {
                left = combine(&left, &self.product()?, &|a, b| Some(a + b))?;
            } else if self.take('-') {
                left = combine(&left, &self.product()?, &|a, b| Some(a - b))?;
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Value, String> {
        let mut left = self.power()?;
        loop {
            if self.take('*') {
                left = combine(&left, &self.power()?, &|a, b| Some(a * b))?;
            } else if self.take('/') {
                // Nothing is drawn where a part of nothing is asked for.
                left = combine(&left, &self.power()?, &|a, b| (b != 0.0).then(|| a / b))?;
            } else {
                return Ok(left);
            }
        }
    }

    fn power(&mut self) -> Result<Value, String> {
        let left = self.atom()?;
        if self.take('^') {
            return combine(&left, &self.power()?, &|a, b| Some(a.powf(b)));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Value, String> {
        if self.take('-') {
            return combine(&Value::Number(0.0), &self.atom()?, &|a, b| Some(a - b));
        }
        if self.take('(') {
            let inner = self.comparison()?;
            self.expect(')')?;
            return Ok(inner);
        }
        if self.take('[') {
            return Ok(Value::Lines(self.items(']')?));
        }
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Number(number)) => Ok(Value::Number(number)),
            Some(Token::Name(name)) => {
                if self.take('(') {
                    self.call(&name.to_uppercase())
                } else {
                    self.source.line(&name)
                }
            }
            Some(token) => Err(format!("{token:?} is not expected here")),
            None => Err("the expression ends too early".to_owned()),
        }
    }

    /// The rest of a list, as lines.
    fn items(&mut self, end: char) -> Result<Vec<(String, Line)>, String> {
        let mut lines = Vec::new();
        loop {
            match self.comparison()? {
                Value::Line(line) => lines.push((String::new(), line)),
                Value::Lines(more) => lines.extend(more),
                Value::Number(number) => {
                    let times = self.source.times();
                    lines.push((
                        String::new(),
                        times.iter().map(|time| (*time, number)).collect(),
                    ));
                }
            }
            if self.take(end) {
                return Ok(lines);
            }
            self.expect(',')?;
        }
    }

    fn text(&mut self) -> Result<String, String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Text(text)) => Ok(text),
            _ => Err("a text in quotes is missing".to_owned()),
        }
    }

    /// A function whose opening bracket has been read.
    fn call(&mut self, name: &str) -> Result<Value, String> {
        match name {
            "METRICS" => {
                let prefix = match self.tokens.get(self.at) {
                    Some(Token::Text(_)) => self.text()?,
                    _ => String::new(),
                };
                self.expect(')')?;
                let mut lines = self.source.metrics()?;
                lines.retain(|(label, _)| label.contains(&prefix));
                Ok(Value::Lines(lines))
            }
            "SEARCH" => {
                let search = self.text()?;
                self.expect(',')?;
                let statistic = self.text()?;
                let period = if self.take(',') {
                    match self.tokens.get(self.at) {
                        #[expect(clippy::cast_possible_truncation, reason = "a period is small")]
                        Some(Token::Number(number)) => {
                            self.at += 1;
                            Some(*number as i64)
                        }
                        _ => return Err("SEARCH: the period is missing".to_owned()),
                    }
                } else {
                    None
                };
                self.expect(')')?;
                Ok(Value::Lines(
                    self.source.search(&search, &statistic, period),
                ))
            }
            "PERIOD" => {
                let Some(Token::Name(id)) = self.tokens.get(self.at).cloned() else {
                    return Err("PERIOD: a metric's id is missing".to_owned());
                };
                self.at += 1;
                self.expect(')')?;
                Ok(Value::Number(self.source.period(&id)))
            }
            "FILL" => self.fill(),
            "IF" => self.choice(),
            "SUM" | "AVG" | "MIN" | "MAX" => self.reduce(name),
            "ABS" | "CEIL" | "FLOOR" | "RATE" | "RUNNING_SUM" => {
                let value = self.comparison()?;
                self.expect(')')?;
                map(value, |line| one_line_function(name, line))
            }
            _ => Err(format!("the embedded cloud does not know {name}()")),
        }
    }

    fn fill(&mut self) -> Result<Value, String> {
        let value = self.comparison()?;
        self.expect(',')?;
        let with = match self.tokens.get(self.at) {
            Some(Token::Name(word)) if word == "REPEAT" => {
                self.at += 1;
                None
            }
            _ => match self.comparison()? {
                Value::Number(number) => Some(number),
                _ => return Err("FILL: a number or REPEAT is expected".to_owned()),
            },
        };
        self.expect(')')?;
        let times = self.source.times();
        map(value, |line| {
            let mut last = None;
            times
                .iter()
                .filter_map(|time| {
                    let value = line.get(time).copied().or(with).or(last);
                    last = value;
                    Some((*time, value?))
                })
                .collect()
        })
    }

    fn choice(&mut self) -> Result<Value, String> {
        let condition = self.comparison()?;
        self.expect(',')?;
        let yes = self.comparison()?;
        let no = if self.take(',') {
            Some(self.comparison()?)
        } else {
            None
        };
        self.expect(')')?;
        let times = self.source.times();
        let at = |value: &Value, time: i64| match value {
            Value::Number(number) => Some(*number),
            Value::Line(line) => line.get(&time).copied(),
            Value::Lines(_) => None,
        };
        let line = times.into_iter().filter_map(|time| {
            let chosen = if at(&condition, time)? == 0.0 {
                no.as_ref()?
            } else {
                &yes
            };
            Some((time, at(chosen, time)?))
        });
        Ok(Value::Line(line.collect()))
    }

    /// Several lines to one; one line to a number, as CloudWatch has it.
    fn reduce(&mut self, name: &str) -> Result<Value, String> {
        let value = self.comparison()?;
        self.expect(')')?;
        let of = |values: &[f64]| {
            super::curves::aggregate(
                match name {
                    "SUM" => "Sum",
                    "AVG" => "Average",
                    "MIN" => "Minimum",
                    _ => "Maximum",
                },
                values,
            )
        };
        Ok(match value {
            Value::Number(number) => Value::Number(number),
            Value::Line(line) => {
                let values: Vec<f64> = line.into_values().collect();
                Value::Number(of(&values).unwrap_or_default())
            }
            Value::Lines(lines) => {
                let mut together: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
                for (time, value) in lines.into_iter().flat_map(|(_, line)| line) {
                    together.entry(time).or_default().push(value);
                }
                let values = together
                    .into_iter()
                    .filter_map(|(time, values)| Some((time, of(&values)?)));
                Value::Line(values.collect())
            }
        })
    }
}

fn one_line_function(name: &str, line: &Line) -> Line {
    let mut before: Option<(i64, f64)> = None;
    let mut running = 0.0;
    line.iter()
        .filter_map(|(time, value)| {
            let earlier = before.replace((*time, *value));
            running += value;
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds between datapoints are few"
            )]
            let result = match name {
                "ABS" => value.abs(),
                "CEIL" => value.ceil(),
                "FLOOR" => value.floor(),
                "RUNNING_SUM" => running,
                _ => {
                    let (then, was) = earlier?;
                    (value - was) / (time - then) as f64
                }
            };
            Some((*time, result))
        })
        .collect()
}

fn map(value: Value, change: impl Fn(&Line) -> Line) -> Result<Value, String> {
    match value {
        Value::Line(line) => Ok(Value::Line(change(&line))),
        Value::Lines(lines) => Ok(Value::Lines(
            lines
                .into_iter()
                .map(|(label, line)| (label, change(&line)))
                .collect(),
        )),
        Value::Number(_) => Err("a metric is expected, not a number".to_owned()),
    }
}

/// Time by time; a time that one side lacks is left out.
fn combine(
    left: &Value,
    right: &Value,
    with: &dyn Fn(f64, f64) -> Option<f64>,
) -> Result<Value, String> {
    let lines = |one: &Line, other: &Line| -> Line {
        one.iter()
            .filter_map(|(time, a)| Some((*time, with(*a, *other.get(time)?)?)))
            .collect()
    };
    let constant = |line: &Line, number: f64, first: bool| -> Line {
        line.iter()
            .filter_map(|(time, a)| {
                let value = if first {
                    with(number, *a)
                } else {
                    with(*a, number)
                };
                Some((*time, value?))
            })
            .collect()
    };
    Ok(match (left, right) {
        (Value::Number(a), Value::Number(b)) => {
            Value::Number(with(*a, *b).ok_or("a number is divided by 0")?)
        }
        (Value::Line(a), Value::Line(b)) => Value::Line(lines(a, b)),
        (Value::Line(line), Value::Number(number)) => Value::Line(constant(line, *number, false)),
        (Value::Number(number), Value::Line(line)) => Value::Line(constant(line, *number, true)),
        (Value::Lines(many), Value::Number(number)) => Value::Lines(
            many.iter()
                .map(|(label, line)| (label.clone(), constant(line, *number, false)))
                .collect(),
        ),
        (Value::Number(number), Value::Lines(many)) => Value::Lines(
            many.iter()
                .map(|(label, line)| (label.clone(), constant(line, *number, true)))
                .collect(),
        ),
        (Value::Lines(many), Value::Line(one)) => Value::Lines(
            many.iter()
                .map(|(label, line)| (label.clone(), lines(line, one)))
                .collect(),
        ),
        (Value::Line(one), Value::Lines(many)) => Value::Lines(
            many.iter()
                .map(|(label, line)| (label.clone(), lines(one, line)))
                .collect(),
        ),
        (Value::Lines(_), Value::Lines(_)) => {
            return Err("two arrays cannot be combined".to_owned());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Source for Two {
        fn line(&mut self, id: &str) -> Result<Value, String> {
            match id {
                "m1" => Ok(Value::Line(Line::from([(0, 60.0), (60, 120.0)]))),
                "m2" => Ok(Value::Line(Line::from([(60, 2.0)]))),
                other => Err(format!("no {other}")),
            }
        }
        fn metrics(&mut self) -> Result<Vec<(String, Line)>, String> {
            Ok(vec![
                ("a".to_owned(), Line::from([(0, 1.0)])),
                ("b".to_owned(), Line::from([(0, 3.0), (60, 5.0)])),
            ])
        }
        fn search(
            &mut self,
            text: &str,
            statistic: &str,
            period: Option<i64>,
        ) -> Vec<(String, Line)> {
            vec![(
                format!("{text} {statistic} {period:?}"),
                Line::from([(0, 4.0)]),
            )]
        }
        fn period(&self, _id: &str) -> f64 {
            60.0
        }
        fn times(&self) -> Vec<i64> {
            vec![0, 60]
        }
    }

    #[test]
    fn expressions_come_to_what_cloudwatch_documents() {
        for (text, expected) in [
            ("m1*8/PERIOD(m1)", vec![(0, 8.0), (60, 16.0)]),
            ("m1/m2", vec![(60, 60.0)]),
            ("FILL(m2, 0) + 1", vec![(0, 1.0), (60, 3.0)]),
            ("SUM(METRICS())", vec![(0, 4.0), (60, 5.0)]),
            ("MAX([m1, m2])", vec![(0, 60.0), (60, 120.0)]),
            ("IF(m1 > 100, 1, 0)", vec![(0, 0.0), (60, 1.0)]),
            ("SUM(SEARCH('{A,B} x', 'Sum', 60)) - 2^2", vec![(0, 0.0)]),
            ("m2/(m2-2)", vec![]),
        ] {
            let Value::Line(line) = evaluate(text, &mut Two).unwrap() else {
                panic!("{text}")
            };
            assert_eq!(line.into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
        for wrong in [
            "m1 +",
            "m3",
            "SUM(m1",
            "FILL(m1, m2)",
            "ANOMALY(m1)",
            "'a",
            "m1 $ 2",
        ] {
            assert!(evaluate(wrong, &mut Two).is_err(), "{wrong}");
        }
    }
}
