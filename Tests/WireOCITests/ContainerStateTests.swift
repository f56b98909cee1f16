import Testing
import WireCore
import WireOCI

func message(_ body: () throws -> Void) -> String {
  do { try body() } catch { return "\(error)" }
  return ""
}

private func state(_ text: String) throws(WireError) -> ContainerState { try .parse(Array(text.utf8)) }

@Test func runcsStateAtCreateRuntimeIsRead() throws {
  let found = try state(
    """
    {"ociVersion":"1.0.2-dev","id":"c1","status":"creating","pid":4711,"bundle":"/run/c1",
     "annotations":{"wirehook.network":"front","io.x":"y"}}
    """)
  #expect(found.id == "c1")
  #expect(found.pid == 4711)
  #expect(found.status == .creating)
  #expect(found.bundle == "/run/c1")
  #expect(found.annotations.map(\.key) == ["wirehook.network", "io.x"])
  #expect(found.annotations.map(\.value) == ["front", "y"])
}

@Test(
  "A stopped container has no pid",
  arguments: ["", ",\"pid\":0", ",\"pid\":-1", ",\"pid\":null"])
func aStoppedContainerHasNoPid(_ pid: String) throws {
  let found = try state("{\"id\":\"c1\",\"status\":\"stopped\",\"bundle\":\"/b\"\(pid)}")
  #expect(found.pid == nil)
  #expect(found.status == .stopped)
  #expect(found.annotations.isEmpty)
}

@Test func crunsWordsAndOlderKeysAreUnderstood() throws {
  let found = try state(
    "{\"ociVersion\":\"1.0\",\"id\":\"c1\",\"pid\":9,\"root\":\"/b/rootfs\",\"bundlePath\":\"/b\",\"status\":\"created\"}"
  )
  #expect(found.bundle == "/b")
  #expect(found.status == .created)
  #expect(try state("{\"id\":\"c1\",\"status\":\"paused\"}").status == .other("paused"))
  #expect(try state("{\"id\":\"c1\"}").status == .other(""))
  #expect(try state("{\"id\":\"c1\",\"bundle\":\"/a\",\"bundlePath\":\"/b\"}").bundle == "/a")
  #expect(try state("{\"id\":\"c1\"}").bundle == nil)
}

@Test(
  "Ids that a runtime allows",
  arguments: ["a", "a.b_c-d+e", "ünï", "with space", "...", String(repeating: "x", count: 1024)])
func idsThatARuntimeAllows(_ id: String) throws { #expect(try state("{\"id\":\"\(id)\"}").id == id) }

@Test(
  "Ids that no runtime allows",
  arguments: [
    "", ".", "..", "../../x", "a/b", "a\\n", "a\\u001b[2J", "\\u007f", "a\\u0000b", String(repeating: "x", count: 1025),
  ])
func idsThatNoRuntimeAllows(_ id: String) {
  #expect(message { _ = try state("{\"id\":\"\(id)\"}") }.hasPrefix("container state: "))
}

@Test(
  "States that are refused",
  arguments: [
    ("", "container state: line 1, column 1 failed: expected a value, found the end"),
    ("[]", "container state: line 1, column 1 failed: expected an object"),
    ("{}", "container state: id failed: the key is missing"),
    ("{\"id\":null}", "container state: id failed: the key is missing"),
    (
      "{\"id\":5}",
      "container state: id 5 failed: expected 1 to 1024 bytes without \"/\" and control characters, and not \".\" or \"..\""
    ),
    (
      "{\"id\":\"a\",\"pid\":\"7\"}",
      "container state: pid \"7\" failed: expected a whole number from -2147483648 to 2147483647"
    ),
    (
      "{\"id\":\"a\",\"pid\":2147483648}",
      "container state: pid 2147483648 failed: expected a whole number from -2147483648 to 2147483647"
    ),
    (
      "{\"id\":\"a\",\"pid\":4294967297}",
      "container state: pid 4294967297 failed: expected a whole number from -2147483648 to 2147483647"
    ),
    (
      "{\"id\":\"a\",\"pid\":18446744073709551617}",
      "container state failed: \"pid\": expected a whole number of at most 63 bits"
    ),
    (
      "{\"id\":\"a\",\"pid\":1.5}",
      "container state: pid 1.5 failed: expected a whole number from -2147483648 to 2147483647"
    ),
    ("{\"id\":\"a\",\"status\":1}", "container state: status 1 failed: expected a string"),
    (
      "{\"id\":\"a\",\"bundle\":\"b\"}",
      "container state: bundle \"b\" failed: expected an absolute path of less than 4096 bytes"
    ),
    (
      "{\"id\":\"a\",\"bundle\":[]}",
      "container state: bundle (an array) failed: expected an absolute path of less than 4096 bytes"
    ),
    ("{\"id\":\"a\",\"annotations\":[]}", "container state: annotations (an array) failed: expected an object"),
    (
      "{\"id\":\"a\",\"annotations\":{\"wirehook.mtu\":1500}}",
      "container state: annotations.wirehook.mtu 1500 failed: expected a string"
    ),
    ("{\"id\":\"a\"} x", "container state: line 1, column 12 failed: expected nothing after the value, found \"x\""),
  ])
func statesThatAreRefused(_ text: String, _ error: String) { #expect(message { _ = try state(text) } == error) }

@Test func annotationsOfOthersMayBeAnything() throws {
  let found = try state("{\"id\":\"a\",\"annotations\":{\"x\":1,\"y\":{\"wirehook.mtu\":1},\"z\":\"s\"}}")
  #expect(found.annotations.map(\.key) == ["z"])
}

@Test func aStateThatIsTooLongIsRefusedUnread() {
  let bytes = [UInt8](repeating: UInt8(ascii: "["), count: (4 << 20) + 1)
  #expect(
    message { _ = try ContainerState.parse(bytes) } == "container state failed: 4194305 bytes, expected at most 4194304"
  )
}
