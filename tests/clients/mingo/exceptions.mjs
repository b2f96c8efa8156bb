// Where Backlot and mingo differ over an update and MongoDB's manual is on Backlot's side.

/** Reasons for which Backlot refuses what mingo does, and the updates that each is about. */
const REFUSED = [
  {
    reason: "mingo passes over what cannot be done; MongoDB refuses it",
    applies: ({ before, expected }) => JSON.stringify(before) === JSON.stringify(expected),
  },
  {
    reason: "$rename does not reach into arrays",
    applies: ({ operator, before, target, operand }) =>
      operator === "$rename" && [target, operand].some((path) => leadsThrough(before, path, Array.isArray)),
  },
  {
    reason: "an array has no fields; mingo changes those of its elements",
    applies: ({ before, target }) => leadsThrough(before, target, Array.isArray),
  },
  {
    reason: "a field cannot be made in a null; mingo puts an object in its place",
    applies: ({ before, target }) => leadsThrough(before, target, (value) => value === null),
  },
];

/** Reasons for which the outcomes differ. */
const DONE = [
  {
    reason: "mingo adds nothing to a set in which it finds equal elements",
    applies: ({ operator, before, target }) => operator === "$addToSet" && hasEqual(at(before, target)),
  },
  {
    reason: "mingo neither sorts nor cuts an array that $push begins",
    applies: ({ operator, before, target }) => operator === "$push" && at(before, target) === undefined,
  },
];

function at(document, path) {
  return path.split(".").reduce((value, name) => value?.[name], document);
}

function hasEqual(items) {
  const texts = Array.isArray(items) ? items.map((item) => JSON.stringify(item)) : [];
  return new Set(texts).size < texts.length;
}

/** Whether a value on the way to the end of a path is of a kind. */
function leadsThrough(document, path, isOfKind) {
  const names = path.split(".").slice(0, -1);
  return names.some((_, last) => {
    const value = at(document, names.slice(0, last + 1).join("."));
    return value !== undefined && isOfKind(value);
  });
}

/** The reason for which the outcome of an update may differ from mingo's; nothing when there is none. */
export function reason({ before, update, expected, refused }) {
  const [[operator, targets]] = Object.entries(update);
  const [[target, operand]] = Object.entries(targets);
  const one = { before, expected, operator, target, operand };
  return (refused ? REFUSED : DONE).find((exception) => exception.applies(one))?.reason;
}
