import Testing
import WireConfig
import WireCore
import WireJSON

/// What `body` threw, as its reader sees it; empty if nothing.
func message(_ body: () throws -> Void) -> String {
  do { try body() } catch { return "\(error)" }
  return ""
}

func request(_ annotations: KeyValuePairs<String, String>) throws(WireError) -> ContainerRequest {
  try ContainerRequest.parse(annotations: annotations.map { (key: $0.key, value: $0.value) })
}

/// The first interface of a container with these annotations.
func interface(_ annotations: KeyValuePairs<String, String>) throws -> InterfaceRequest {
  try #require(try request(annotations).interfaces.first)
}

func json(_ text: String) throws -> JSONValue {
  try JSONValue.parse(Array(text.utf8), limits: .configuration, duplicates: .refuse)
}

func network(_ text: String, file: String = "networks.d/front.json") throws -> Network {
  try Network(json: json(text), file: file)
}

func mainConfig(_ text: String) throws -> MainConfig { try MainConfig(json: json(text), file: "wirehook.json") }

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
func prefix(_ text: String) throws -> Prefix { try #require(Prefix(text)) }
func name(_ text: String) throws -> InterfaceName { try #require(InterfaceName(text)) }
