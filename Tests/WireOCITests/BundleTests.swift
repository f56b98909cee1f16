import Testing
import WireCore
import WireOCI

private func bundle(_ text: String) throws(WireError) -> Bundle { try .parse(Array(text.utf8)) }

@Test func whatWeNeedOfAConfigIsRead() throws {
  let found = try bundle(
    """
    {"ociVersion":"1.0.2","process":{"rlimits":[{"hard":18446744073709551615}],"args":["sh"]},"root":{"path":"rootfs","readonly":true},
     "hostname":"web","mounts":[{"destination":"/proc","type":"proc","source":"proc"},
      {"destination":"/etc/hosts","type":"bind","source":"/var/lib/docker/containers/ab/hosts","options":["rbind"]},{"destination":"/x"}],
     "annotations":{"wirehook.ports":"8080:80"},"linux":{"resources":{},"namespaces":[{"type":"pid"},{"type":"network"},{"type":"mount"}]}}
    """)
  #expect(found.hostname == "web")
  #expect(found.rootPath == "rootfs")
  #expect(found.mounts.map(\.destination) == ["/proc", "/etc/hosts", "/x"])
  #expect(found.mounts[1].source == "/var/lib/docker/containers/ab/hosts")
  #expect(found.mounts[1].type == "bind")
  #expect(found.mounts[2].source == nil)
  #expect(found.annotations.map(\.value) == ["8080:80"])
  #expect(found.networkNamespace == .own)
}

@Test(
  "The network namespace goes by its entry",
  arguments: [
    ("{}", Bundle.NetworkNamespace.host), ("{\"linux\":null}", .host), ("{\"linux\":{}}", .host),
    ("{\"linux\":{\"namespaces\":null}}", .host),
    ("{\"linux\":{\"namespaces\":[]}}", .host), ("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}", .host),
    ("{\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}}", .own),
    ("{\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"\"}]}}", .own),
    ("{\"linux\":{\"namespaces\":[{\"path\":\"/run/netns/x\",\"type\":\"network\"}]}}", .path("/run/netns/x")),
    ("{\"x\":{\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}}}", .host),
    ("{\"linux\":{\"x\":{\"namespaces\":[{\"type\":\"network\"}]}}}", .host),
  ])
func theNetworkNamespaceGoesByItsEntry(_ text: String, _ expected: Bundle.NetworkNamespace) throws {
  #expect(try bundle(text).networkNamespace == expected)
}

@Test(
  "Configs that are refused",
  arguments: [
    ("[]", "config.json: line 1, column 1 failed: expected an object"),
    (
      "{\"linux\":[{\"namespaces\":[{\"type\":\"network\"}]}]}",
      "config.json: linux (an array) failed: expected an object"
    ),
    ("{\"linux\":{\"namespaces\":{}}}", "config.json: linux.namespaces (an object) failed: expected an array"),
    ("{\"linux\":{\"namespaces\":[1]}}", "config.json: linux.namespaces[0] 1 failed: expected an object"),
    (
      "{\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":5}]}}",
      "config.json: linux.namespaces[0].path 5 failed: expected a string"
    ),
    (
      "{\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":\"network\",\"path\":\"/x\"}]}}",
      "config.json: linux.namespaces[1] (an object) failed: expected one network namespace, found a second"
    ),
    ("{\"annotations\":{\"wirehook.ip\":null}}", "config.json: annotations.wirehook.ip null failed: expected a string"),
    (
      "{\"mounts\":[{\"source\":\"/a\"}]}",
      "config.json: mounts[0] (an object) failed: expected a mount with a \"destination\" of text"
    ),
    ("{\"process\":{\"args\":[NaN]}}", "config.json: line 1, column 21 failed: expected a value or \"]\", found \"N\""),
  ])
func configsThatAreRefused(_ text: String, _ error: String) { #expect(message { _ = try bundle(text) } == error) }
