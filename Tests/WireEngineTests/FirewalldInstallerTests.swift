import Foundation
import Testing
import WireCore
import WireEngine

/// The zone's file, on files of another host.
@Suite struct FirewalldInstallerTests {
  private static let zone = "/etc/firewalld/zones/wirehook.xml"
  private static let policy = "/etc/firewalld/policies/wirehook-out.xml"

  private func host(_ files: [String: String] = [:]) throws -> Host {
    let host = try Host(files)
    for folder in ["/etc/firewalld/zones", "/usr/lib/firewalld/policies"] {
      try FileManager.default.createDirectory(atPath: host.root + folder, withIntermediateDirectories: true)
    }
    return host
  }

  @Test func theZoneHasOurBridgesAndThePolicyLetsThemOut() throws {
    let host = try host()
    try host.install(.firewalld)
    let zone = try #require(host.text(Self.zone))
    #expect(zone.contains("  <interface name=\"wh+\"/>\n  <interface name=\"wirehook0\"/>\n</zone>\n"))
    #expect(!zone.contains("target="), "the host's services stay its administrator's matter")
    #expect(try #require(host.text(Self.policy)).contains("<policy target=\"ACCEPT\">"))
    #expect(try host.installer.install(.firewalld).changes.allSatisfy { !$0.isNeeded })
    try host.uninstall(.firewalld)
    #expect(host.files == [])
  }

  @Test func bridgesWithOtherNamesAreAddedUnlessSomebodyHasThem() throws {
    let network = { (name: String, bridge: String, more: String) in
      """
      {"name": "\(name)", "driver": "bridge", "bridge": "\(bridge)", \(more)
       "subnets": [{"subnet": "10.20\(name.utf8.count).0.0/24", "gateway": "10.20\(name.utf8.count).0.1"}]}
      """
    }
    let host = try host([
      "/etc/wirehook/wirehook.json": "{}",
      "/etc/wirehook/networks.d/a.json": network("a", "front0", ""),
      "/etc/wirehook/networks.d/bb.json": network("bb", "back0", ""),
      "/etc/wirehook/networks.d/ccc.json": network("ccc", "lan0", "\"managed\": false,"),
      "/etc/wirehook/networks.d/dddd.json": network("dddd", "wh-d", ""),
      "/etc/firewalld/zones/dmz.xml": "<zone>\n  <interface name=\"back0\"/>\n</zone>\n",
    ])
    let installation = try host.install(.firewalld)
    let zone = try #require(host.text(Self.zone))
    let bound = zone.matches(of: /interface name="([^"]*)"/).map { String($0.output.1) }
    #expect(bound == ["wh+", "wirehook0", "front0"])
    #expect(installation.notes.count == 1 && installation.notes[0].contains("zones/dmz.xml"))
  }

  @Test func whatAnAdministratorWroteStays() throws {
    let host = try host([
      Self.zone: "<?xml version=\"1.0\"?>\n<zone>\n  <interface name=\"wh+\"/>\n  <service name=\"dns\"/>\n</zone>\n",
      Self.policy: "<policy target=\"CONTINUE\"/>\n",
    ])
    try host.install(.firewalld)
    #expect(
      host.text(Self.zone)
        == "<?xml version=\"1.0\"?>\n<zone>\n  <interface name=\"wh+\"/>\n  <service name=\"dns\"/>\n"
        + "  <interface name=\"wirehook0\"/>\n</zone>\n")
    #expect(host.text(Self.policy) == "<policy target=\"CONTINUE\"/>\n")
  }

  @Test func aHostWithoutFirewalldOrWithAnOldOneIsRefused() throws {
    #expect(throws: WireError.self) { try Host().install(.firewalld) }
    #expect(throws: WireError.self) { try Host(["/etc/firewalld/firewalld.conf": ""]).install(.firewalld) }
    #expect(throws: WireError.self) { try host([Self.zone: "<zone>"]).install(.firewalld) }
  }

  @Test(arguments: [
    ("StrictForwardPorts=yes\n", true), ("# StrictForwardPorts=yes\n", false), ("StrictForwardPorts=no", false),
    ("StrictForwardPorts = Yes\r\n", true), ("StrictForwardPorts=yes\nStrictForwardPorts=no\n", false), ("", false),
    ("=\nStrictForwardPorts\n", false),
  ])
  func strictnessIsRead(_ text: String, _ isStrict: Bool) {
    #expect(FirewalldSettings(bytes: Array(text.utf8)).isStrict == isStrict)
  }
}
