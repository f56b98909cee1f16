internal import CJSONC
internal import WireCore

/// A tree of json-c's, freed once. It never leaves this module: what is wanted of it becomes a `JSONValue`.
struct JSONDocument: ~Copyable {
  /// NULL is how json-c spells `null`.
  private let root: OpaquePointer?

  private init(adopting root: OpaquePointer?) { self.root = root }

  /// Parses `bytes`, which `JSONGuard` has passed.
  static func parse(_ bytes: [UInt8], depth: Int) throws(JSONError) -> JSONDocument {
    var terminated = bytes
    terminated.append(0)
    guard let length = Int32(exactly: bytes.count), length < .max else { throw JSONError("too long for json-c") }
    var error = json_tokener_success
    // json-c counts the value within the innermost array as a level of its own.
    let root = terminated.withUnsafeBytes { text in
      cjsonc_parse(text.baseAddress?.assumingMemoryBound(to: CChar.self), length, Int32(depth) + 2, &error)
    }
    guard error == json_tokener_success else {
      throw JSONError("json-c: " + String(cString: json_tokener_error_desc(error)))
    }
    // What there was no memory for is NULL without an error.
    guard root != nil || isNull(bytes) else { throw JSONError("json-c: not enough memory") }
    return JSONDocument(adopting: root)
  }

  private static func isNull(_ bytes: [UInt8]) -> Bool {
    bytes.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "n")
  }

  deinit { json_object_put(root) }

  borrowing func value() throws(JSONError) -> JSONValue { try Self.value(of: root) }

  /// The elements of an array; an error says by its name which one it is about.
  borrowing func elements(named names: [String]) throws(JSONError) -> [JSONValue] {
    var elements: [JSONValue] = []
    for index in names.indices {
      do throws(JSONError) {
        elements.append(try Self.value(of: json_object_array_get_idx(root, index)))
      } catch {
        throw JSONError("\(names[index].quoted): \(error.why)")
      }
    }
    return elements
  }

  private static func value(of object: OpaquePointer?) throws(JSONError) -> JSONValue {
    switch json_object_get_type(object) {
    case json_type_boolean: return .bool(json_object_get_boolean(object) != 0)
    case json_type_int: return .integer(try integer(of: object))
    case json_type_double:
      let number = json_object_get_double(object)
      guard number.isFinite else { throw JSONError("expected a number that a Double holds") }
      return .number(number)
    case json_type_string: return .string(string(json_object_get_string(object), json_object_get_string_len(object)))
    case json_type_array:
      var elements: [JSONValue] = []
      let count = json_object_array_length(object)
      elements.reserveCapacity(count)
      for index in 0..<count { elements.append(try value(of: json_object_array_get_idx(object, index))) }
      return .array(elements)
    case json_type_object: return .object(try members(of: object))
    default: return .null
    }
  }

  /// json-c clamps what does not fit to the ends of its range: both are refused, as is all that lies beyond.
  private static func integer(of object: OpaquePointer?) throws(JSONError) -> Int64 {
    let value = json_object_get_int64(object)
    guard value != .min, value != .max else { throw JSONError("expected a whole number of at most 63 bits") }
    return value
  }

  private static func members(of object: OpaquePointer?) throws(JSONError) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    members.reserveCapacity(Int(json_object_object_length(object)))
    var iterator = json_object_iter_begin(object)
    var end = json_object_iter_end(object)
    while json_object_iter_equal(&iterator, &end) == 0 {
      let name = String(cString: json_object_iter_peek_name(&iterator))
      do throws(JSONError) {
        members.append(.init(name, try value(of: json_object_iter_peek_value(&iterator))))
      } catch {
        // Innermost first: json-c keeps no positions, so the names are all that tells where it was.
        throw JSONError("\(name.quoted): \(error.why)")
      }
      json_object_iter_next(&iterator)
    }
    return members
  }

  private static func string(_ text: UnsafePointer<CChar>?, _ length: Int32) -> String {
    guard let text, length > 0 else { return "" }
    return UnsafeRawBufferPointer(start: text, count: Int(length)).withMemoryRebound(to: UInt8.self) {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
