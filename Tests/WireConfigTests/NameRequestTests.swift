import Testing
import WireConfig
import WireCore

private func names(_ annotations: KeyValuePairs<String, String>) throws -> NameRequest {
  try request(annotations).names
}

@Test func resolversSearchDomainsHostsAndAliasesAreRead() throws {
  let names = try names([
    "wirehook.dns": "10.0.0.53, fd00::53", "wirehook.dns-search": "example.com,corp.",
    "wirehook.hosts": "db:10.0.0.7,six:fd00::7,seven:[fd00::8],docs:host-gateway,old=10.0.0.9",
    "wirehook.alias": "web.example.com,www_1",
  ])
  #expect(names.servers == [try address("10.0.0.53"), try address("fd00::53")])
  #expect(names.search == ["example.com", "corp"])
  #expect(names.hosts.map(\.name) == ["db", "six", "seven", "docs", "old"])
  #expect(
    names.hosts.map { $0.address?.description } == ["10.0.0.7", "fd00::7", "fd00::8", nil, "10.0.0.9"])
  #expect(names.aliases == ["web.example.com", "www_1"])
}

@Test func aDotMeansNoSearchDomain() throws {
  #expect(try names(["wirehook.dns-search": "."]).search == [])
  #expect(try names([:]).search == nil)
}

@Test func theyMakeARequestExplicit() throws {
  #expect(try request(["wirehook.alias": "www"]).isExplicit)
}

@Test(
  "What names and resolvers may not be",
  arguments: [
    (
      "wirehook.dns", "ns1",
      "annotation wirehook.dns \"ns1\" failed: expected addresses of resolvers, such as 10.0.0.53"
    ),
    (
      "wirehook.dns", "0.0.0.0",
      "annotation wirehook.dns \"0.0.0.0\" failed: expected addresses of resolvers, such as 10.0.0.53"
    ),
    (
      "wirehook.dns-search", "a b",
      "annotation wirehook.dns-search \"a b\" failed: expected domain names, or \".\" for none"
    ),
    ("wirehook.dns-search", ".,a", "annotation wirehook.dns-search \".,a\" failed: \".\" stands for none, and alone"),
    (
      "wirehook.hosts", "db",
      "annotation wirehook.hosts \"db\" failed: expected NAME:ADDRESS or NAME:host-gateway"
    ),
    (
      "wirehook.hosts", "db:gateway",
      "annotation wirehook.hosts \"db:gateway\" failed: expected NAME:ADDRESS or NAME:host-gateway"
    ),
    (
      "wirehook.hosts", "a\nb:10.0.0.1",
      "annotation wirehook.hosts \"a\\x0ab:10.0.0.1\" failed: expected NAME:ADDRESS or NAME:host-gateway"
    ),
    ("wirehook.alias", "a#b", "annotation wirehook.alias \"a#b\" failed: expected names of hosts"),
    ("wirehook.alias", "-a", "annotation wirehook.alias \"-a\" failed: expected names of hosts"),
    ("wirehook.alias", "a..b", "annotation wirehook.alias \"a..b\" failed: expected names of hosts"),
    (
      "wirehook.dns.eth0", "10.0.0.1",
      "annotation wirehook.dns.eth0 \"10.0.0.1\" failed: the key takes no interface's name"
    ),
  ])
func whatNamesAndResolversMayNotBe(_ key: String, _ value: String, _ expected: String) {
  #expect(message { _ = try request([key: value]) } == expected)
}
