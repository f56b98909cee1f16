import Foundation
import Testing
import WireConfig
import WireJSON

private func schema(_ name: String) throws -> JSONValue {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let bytes = [UInt8](try Data(contentsOf: root.appending(path: "docs/schema/\(name).schema.json")))
  return try JSONValue.parse(bytes, limits: .state, duplicates: .refuse)
}

private func names(_ object: JSONValue?) -> [String] {
  guard case .object(let members)? = object else { return [] }
  return members.map(\.name).sorted()
}

@Test func theSchemasHaveTheKeysThatTheCodeReads() throws {
  let main = try schema("wirehook")
  #expect(names(main["properties"]) == MainConfig.keys.sorted())
  #expect(names(main["properties"]?["policy"]?["properties"]) == Policy.keys.sorted())
  let network = try schema("network")
  #expect(names(network["properties"]) == (Network.keys + Network.laterKeys).sorted())
  #expect(names(network["$defs"]?["subnet"]?["properties"]) == Subnet.keys.sorted())
  #expect(
    network["properties"]?["driver"]?["enum"] == .array(Network.Driver.allCases.map { .string($0.rawValue) }))
}

@Test(arguments: ["wirehook", "network"])
func everyKeyOfASchemaIsDescribedAndNoOtherIsAllowed(_ name: String) throws {
  var open = [("", try schema(name))]
  while let (path, value) = open.popLast() {
    guard case .object(let members) = value else { continue }
    if case .object(let properties)? = value["properties"] {
      #expect(value["additionalProperties"] == .bool(false), "\(path)")
      for property in properties {
        let isDescribed = property.value["description"] != nil || property.value["$ref"] != nil
        #expect(isDescribed, "\(path)/\(property.name)")
      }
    }
    for member in members {
      open.append(("\(path)/\(member.name)", member.value))
      if case .array(let elements) = member.value { open += elements.map { ("\(path)/\(member.name)[]", $0) } }
    }
  }
}
