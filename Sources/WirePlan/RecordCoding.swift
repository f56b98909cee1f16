import WireCore
import WireJSON

/// Members in the order in which they are set; those without a value are left out.
struct JSONMembers {
  private var members: [JSONValue.Member] = []

  var value: JSONValue { .object(members) }

  mutating func set(_ name: String, _ value: JSONValue?) {
    if let value { members.append(JSONValue.Member(name, value)) }
  }

  mutating func set(_ name: String, array: [JSONValue]) { set(name, array.isEmpty ? nil : .array(array)) }

  mutating func set(_ name: String, texts: [some CustomStringConvertible]) {
    set(name, array: texts.map { .string($0.description) })
  }

  mutating func set(_ name: String, flag: Bool) { set(name, flag ? .bool(true) : nil) }
}

extension JSONReader {
  func interfaceName() throws(WireError) -> InterfaceName {
    try parsed(InterfaceName.expectation) { InterfaceName($0) }
  }

  func rate() throws(WireError) -> Rate {
    guard let rate = Rate(bitsPerSecond: UInt64(try integer(in: 0...Int64.max))) else {
      throw expected("a rate in bits per second")
    }
    return rate
  }

  func list<Value>(
    _ name: String, _ expectation: String, _ read: (String) -> Value?
  ) throws(WireError) -> [Value] {
    var values: [Value] = []
    for element in try self[name]?.elements() ?? [] { values.append(try element.parsed(expectation, read)) }
    return values
  }
}
