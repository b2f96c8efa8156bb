// Random documents, filters, updates, orders and aggregations over few names and values, so that they often meet.
//
// What is generated around, because MongoDB's manual sides with Backlot against mingo, stands where it is left out.

/** A generator (mulberry32) that gives the same cases for the same seed. */
export function generator(seed) {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end) => Math.floor(next() * end);
  const pick = (choices) => choices[below(choices.length)];
  const chance = (probability) => next() < probability;
  const list = (end, make) => Array.from({ length: below(end) }, make);
  return { below, pick, chance, list };
}

const NAMES = ["a", "b", "c"];

/**
 * A filter in words that mingo knows as well. It finds `$all` in arrays only; in MongoDB it stands for an `$and` of
 * equalities, which a single value can fulfil.
 */
export function translated(filter) {
  const [[name, condition]] = Object.entries(filter);
  if (name.startsWith("$")) {
    return { [name]: condition.map(translated) };
  }
  return condition?.$all ? { $and: condition.$all.map((value) => ({ [name]: { $eq: value } })) } : filter;
}

export class Cases {
  constructor(seed) {
    Object.assign(this, generator(seed));
  }

  scalar() {
    return this.pick([null, true, false, -1, 0, 1, 2, 1.5, "", "a", "b", "ab"]);
  }

  /** Anything: what is stored by updates, and compared with. */
  value(depth) {
    if (depth <= 0 || this.chance(0.5)) {
      return this.scalar();
    }
    return this.chance(0.5) ? this.list(3, () => this.value(depth - 1)) : this.object(depth - 1);
  }

  object(depth) {
    return Object.fromEntries(this.list(3, () => [this.pick(NAMES), this.value(depth)]));
  }

  /**
   * Arrays of scalars in `a`, objects in objects in `b`, arrays of objects in `c`, and scalars in all. In an array of both,
   * mingo lets a query for objects (`$elemMatch`) match scalars; into arrays of arrays it follows paths. MongoDB does neither.
   */
  document() {
    const document = {
      a: this.chance(0.6) ? this.list(4, () => this.scalar()) : this.scalar(),
      b: this.tree(3),
      c: this.chance(0.6) ? this.list(3, () => this.branch(2)) : this.scalar(),
    };
    return Object.fromEntries(Object.entries(document).filter(() => this.chance(0.7)));
  }

  tree(depth) {
    return depth > 0 && this.chance(0.7) ? this.branch(depth - 1) : this.scalar();
  }

  branch(depth) {
    return Object.fromEntries(this.list(3, () => [this.pick(NAMES), this.tree(depth)]));
  }

  /**
   * Dots only where there are no arrays. MongoDB asks each value that a path finds in an array; mingo gathers them in one
   * array, or one array of arrays, and asks that, so that it answers `$size`, `$elemMatch`, null and `$exists` otherwise.
   */
  path() {
    const rest = this.list(3, () => this.pick(NAMES));
    return this.chance(0.5) ? ["b", ...rest].join(".") : this.pick(NAMES);
  }

  // --- filters

  operand() {
    return this.chance(0.75) ? this.scalar() : this.value(1);
  }

  /** A list right of a name is a list of alternatives in Base44's language, and a value to be equal to in MongoDB's. */
  plainOperand() {
    const value = this.operand();
    return Array.isArray(value) ? this.scalar() : value;
  }

  operator(depth, path = "b") {
    const nested = depth > 0 ? ["$not", "$elemMatch", "$elemMatch"] : [];
    const plain = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$size", "$regex"];
    const name = this.pick([...plain, ...nested]);
    return { [name]: this.operatorOperand(name, depth - 1, path) };
  }

  operatorOperand(name, depth, path) {
    switch (name) {
      case "$in":
      case "$nin":
        // An entry that is an array is a value to MongoDB; mingo does not find it.
        return this.list(3, () => this.plainOperand());
      case "$exists":
        return this.chance(0.5);
      case "$size":
        return this.below(3);
      case "$regex":
        return this.pick(["a", "^a$", "b", "^$"]);
      case "$not":
        return this.operator(depth, path);
      case "$elemMatch":
        return path === "c" ? { [this.pick(NAMES)]: this.operator(depth) } : this.operator(depth);
      case "$gt":
      case "$lt":
        // Arrays compare element by element in MongoDB, and by their smallest elements in mingo.
        return this.scalar();
      case "$gte":
      case "$lte":
        // MongoDB: null is greater than or equal to null, and to a missing field. mingo finds only the null.
        return this.scalar() ?? 1;
      default:
        return this.operand();
    }
  }

  filter(depth = 1) {
    if (depth > 0 && this.chance(0.25)) {
      const parts = [this.filter(depth - 1), ...this.list(2, () => this.filter(depth - 1))];
      return { [this.pick(["$and", "$or", "$nor"])]: parts };
    }
    const path = this.path();
    if (this.chance(0.1)) {
      return { [path]: { $all: [this.operand(), ...this.list(2, () => this.operand())] } };
    }
    return { [path]: this.chance(0.25) ? this.plainOperand() : this.operator(2, path) };
  }

  // --- updates

  update() {
    const operators = ["$set", "$unset", "$inc", "$mul", "$min", "$max", "$addToSet", "$push", "$pull", "$rename"];
    const name = this.pick(operators);
    // Arrays come after numbers in MongoDB's order; mingo looks at their elements.
    const compares = name === "$min" || name === "$max";
    const target = this.pick(compares ? ["b", "b.a", "b.b.c"] : [...NAMES, "a.a", "b.b", "a.0", "c.1", "c.a.b"]);
    return { [name]: { [target]: this.updateOperand(name) } };
  }

  updateOperand(name) {
    switch (name) {
      case "$set":
        return this.value(1);
      case "$unset":
        return "";
      case "$inc":
        return this.pick([1, -2, 0.5]);
      case "$mul":
        return this.pick([2, 0, 0.5]);
      case "$min":
      case "$max":
        return this.pick([0, 1, 2]);
      case "$addToSet":
        // Two different ones: of two equal ones MongoDB adds one, mingo both where there is no array yet.
        return this.chance(0.5) ? this.scalar() : { $each: [this.pick(["a", "b", null]), this.pick([0, 1, true])] };
      case "$push":
        return this.chance(0.4) ? this.value(1) : this.push();
      case "$pull":
        return this.pick([
          this.scalar(),
          { [this.pick(["$gt", "$lte", "$ne"])]: this.pick([0, 1, 2]) },
          { [this.pick(["a", "b"])]: this.scalar() },
        ]);
      default:
        return this.pick([...NAMES, "d"]);
    }
  }

  push() {
    return {
      $each: [this.scalar(), this.scalar()],
      ...(this.chance(0.4) && { $position: this.below(3) }),
      ...(this.chance(0.4) && { $slice: this.below(5) - 2 }),
      ...(this.chance(0.4) && { $sort: this.pick([1, -1]) }),
    };
  }

  // --- orders and aggregations

  /** Values that both order alike: of arrays mingo sorts by the first element, MongoDB by the least or the greatest. */
  row() {
    const row = { b: this.pick([1, 2, "x", true, { a: 1 }, { a: 2 }]), c: { a: this.pick([3, 4, "y"]) }, n: this.pick([null, 1, 2, 2.5, 10]) };
    return this.chance(0.8) ? { a: this.pick([-1, 0, 1, 1.5, 2, "a", "b", "ab"]), ...row } : row;
  }

  /** Field names, a minus in front of those that fall. */
  order() {
    const first = this.pick(["a", "b", "c.a", "n"]);
    const second = this.pick(["", "", "a", "n"]);
    const names = [...new Set([first, second])].filter(Boolean);
    return names.map((name) => (this.chance(0.5) ? "-" : "") + name);
  }

  aggregation() {
    return {
      query: this.pick([{}, { n: { $gt: 1 } }, { a: { $exists: true } }, { "c.a": { $ne: 3 } }]),
      groupBy: this.pick([[], ["b"], ["a"], ["c.a"], ["a", "n"]]),
      sum: ["n"],
      avg: ["n"],
      min: [this.pick(["n", "a"])],
      max: [this.pick(["n", "a"])],
      countDistinct: [this.pick(["n", "b", "c.a"])],
    };
  }
}
