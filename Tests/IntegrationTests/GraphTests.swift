import Foundation
import Support
import Testing

/// The picture of a real host: what the kernel and the records say together.
@Suite(needsRoot) struct GraphTests {
  @Test func theTopologyIsWhatWasWired() throws {
    try Sandbox.with { host in
      try host.writeNetwork("back", #"{"internal": true, "subnets": [{"subnet": "10.210.9.0/24"}]}"#)
      _ = try host.started(
        "web", ["wirehook.network": "front,back:san0", "wirehook.ports": "8080:80", "wirehook.ip": "10.210.4.9"])
      let result = try host.wirehook("graph", "--json")
      #expect(result.exitCode == 0, "\(result)")
      let graph = try JSON(parsing: result.stdout)
      let uplink = try #require(graph["links"].array.first { $0["name"].string == "up0" })
      #expect(uplink["uplink"].array == [.text("IPv4"), .text("IPv6")])
      #expect(uplink["addresses"].array.contains(.text("192.168.77.1/24")))
      #expect(graph["links"].array.count == 1, "\(graph["links"].text)")
      #expect(graph["bridges"].array.map { $0["name"].string } == ["wh-back", "wh-front"])
      let front = graph["bridges"][1]
      #expect(front["networks"][0]["name"].string == "front" && front["networks"][0]["masquerade"].bool == true)
      #expect(graph["bridges"][0]["networks"][0]["internal"].bool == true)
      #expect(front["addresses"].array.contains(.text("10.210.4.1/24")))
      let interfaces = graph["containers"][0]["interfaces"].array
      #expect(interfaces.map { $0["bridge"].string } == ["wh-front", "wh-back"])
      #expect(front["ports"].array.map { $0["name"] } == [interfaces[0]["host"]])
      #expect(graph["containers"][0]["ports"][0]["hostPort"].int == 8080)
    }
  }

  @Test func aTunnelAndAPortOfTheUplinkAreDrawnWithTheirBridge() throws {
    try Sandbox.with { host in
      try host.ip("link add br3 type bridge")
      try host.ip("link add vx42 type vxlan id 42 local 192.168.77.1 remote 192.168.77.2 dstport 4789")
      try host.ip("link set vx42 master br3")
      let lan = try host.neighbour("l", link: "lan0")
      _ = lan
      try host.ip("link set lan0 master br3")
      let bridge = try JSON(parsing: host.wirehook("graph", "--json").stdout)["bridges"][0]
      let tunnel = bridge["tunnels"][0]
      #expect(tunnel["key"].string == "42" && tunnel["remote"].string == "192.168.77.2", "\(tunnel.text)")
      #expect(tunnel["local"].string == "192.168.77.1")
      try host.sh("bridge fdb append 00:00:00:00:00:00 dev vx42 dst 192.168.77.3")
      let ends = try JSON(parsing: host.wirehook("graph", "--json").stdout)["bridges"][0]["tunnels"].array
      #expect(ends.map { $0["remote"].string } == ["192.168.77.2", "192.168.77.3"])
      #expect(bridge["ports"].array.contains { $0["name"].string == "lan0" })
      #expect(try host.wirehook("graph").stdout.contains("vxlan 42"))
    }
  }

  @Test(needsOVS) func aBridgeOfOpenVSwitchIsDrawnWithItsTunnelsAndTags() throws {
    try HostPair.switched { ovs, _ in
      try ovs.writeNetwork(
        #""vlan": 10, "vxlan": {"key": "flow", "local": "192.168.1.9", "remotes": ["192.168.1.10"]}"#)
      _ = try ovs.host.started("web", ["wirehook.ip": "100.1.1.6"])
      let graph = try JSON(parsing: ovs.host.wirehook("graph", "--json").stdout)
      let bridge = try #require(graph["bridges"].array.first { $0["name"].string == "br1" })
      #expect(bridge["kind"].string == "ovs" && bridge["exists"].bool == true && bridge["up"].bool == true)
      #expect(bridge["networks"][0]["name"].string == "ovsnet")
      #expect(bridge["addresses"].array == [.text("100.1.1.254/24")], "\(bridge.text)")
      #expect(bridge["tunnels"].array.map { $0["remote"].string } == ["192.168.1.10"])
      #expect(bridge["tunnels"][0]["key"].string == "flow")
      let port = try ovs.hostEnd(of: "web")
      #expect(bridge["ports"].array.first { $0["name"].string == port }?["vlan"].int == 10)
      #expect(!graph["links"].array.contains { $0["name"].string == "br1" || $0["name"].string == port })
      #expect(try ovs.host.wirehook("graph").stdout.contains("OVS bridge"))
    }
  }

  @Test func aBridgeThatIsGoneIsShownAsMissing() throws {
    try Sandbox.with { host in
      _ = try host.started("web")
      try host.ip("link del wh-front")
      let text = try host.wirehook("graph").stdout
      #expect(text.contains("wh-front  bridge  missing"), "\(text)")
    }
  }

  @Test func theFileNameDecidesTheForm() throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80"])
      for (file, beginning) in [
        ("g.svg", "<svg "), ("g.dot", "graph wirehook {"), ("g.mmd", "flowchart LR"), ("g.txt", ""),
      ] {
        let path = "\(host.folder)/\(file)"
        let result = try host.wirehook("graph", "-o", path)
        #expect(result.exitCode == 0 && result.stdout == "", "\(result)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix(beginning) && text.contains("web") && text.contains("8080"), "\(text)")
      }
      #expect(try host.wirehook("graph", "-o", "\(host.folder)/g.xyz").exitCode == 2)
      let nowhere = try host.wirehook("graph", "-o", "\(host.folder)/no/g.svg")
      #expect(nowhere.exitCode == 1 && nowhere.stderr.contains("no/g.svg"), "\(nowhere)")
    }
  }

  @Test(.enabled(if: Tool.path("dot") != nil, "needs graphviz")) func graphvizReadsTheDOT() throws {
    try Sandbox.with { host in
      for name in ["web", #"a"b\c&d<e>"#, "名前", "node; edge [x]"] { _ = try host.started(name) }
      let text = try host.wirehook("graph", "--format", "dot").stdout
      let drawn = try host.run(["dot", "-Tsvg"], input: Array(text.utf8))
      #expect(drawn.exitCode == 0 && drawn.stderr == "", "\(drawn) \(text)")
      #expect(drawn.stdout.contains(#"a&quot;b\c&amp;d&lt;e&gt;"#), "\(drawn.stdout)")
    }
  }

  @Test func aWrongNetworkIsOfferedTheRightOne() throws {
    try Sandbox.with { host in
      _ = try host.started("web")
      let result = try host.wirehook("graph", "--network", "fornt")
      #expect(result.exitCode == 1 && result.stderr.contains("did you mean \"front\"?"), "\(result)")
    }
  }

  @Test func watchingAFileRewritesItWhenSomethingChanges() throws {
    try Sandbox.with { host in
      let path = "\(host.folder)/g.txt"
      let words = try [
        "nsenter", "--net=\(host.netns)", "--", Built.path("wirehook"), "graph", "-o", path, "--watch", "--interval",
        "0.1", "--config", host.configFile,
      ]
      let pid = try Spawn.start(words)
      defer {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
      let text = { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
      #expect(try eventually { text().contains("up0") })
      _ = try host.started("late")
      #expect(try eventually { text().contains("late") })
    }
  }
}

/// How listings look: what a person sees on a narrow terminal, and what a script asks for.
@Suite(needsRoot) struct ListingTests {
  /// The command with an environment of its own.
  private func wirehook(_ host: Sandbox, _ environment: [String], _ words: String...) throws -> Command.Result {
    try host.run(["env"] + environment + [Built.path("wirehook")] + words + ["--config", host.configFile])
  }

  @Test func aTemplateMakesTheLine() throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80"])
      let line = try host.wirehook("ls", "--format", #"{{.Name}}\t{{.IP}} {{ .Ports }}"#)
      #expect(line.stdout == "web\t10.210.4.9 8080->80/tcp\n", "\(line)")
      #expect(try host.wirehook("inspect", "web", "--format", "{{.IP6}}").stdout.hasPrefix("fd42:210:4::"))
      let wrong = try host.wirehook("ls", "--format", "{{.Nmae}}")
      #expect(wrong.exitCode == 2 && wrong.stderr.contains("did you mean {{.Name}}?"), "\(wrong)")
    }
  }

  @Test func quietPrintsIdsAlone() throws {
    try Sandbox.with { host in
      _ = try host.started("web")
      _ = try host.started("db")
      #expect(try host.wirehook("ls", "-q").stdout == "web\ndb\n")
      #expect(try host.wirehook("ls", "-q", "--network", "other").stdout == "")
      #expect(try host.wirehook("ls", "-q", "--json").exitCode == 2)
    }
  }

  @Test(arguments: [40, 60, 100]) func noLineIsWiderThanTheTerminal(_ columns: Int) throws {
    try Sandbox.with { host in
      _ = try host.started("a-rather-long-name-of-a-container", ["wirehook.ports": "8080:80,127.0.0.1:5353:53/udp"])
      for words in [["ls"], ["stats"], ["inspect", "a-rather"]] {
        let result = try host.run(
          ["env", "COLUMNS=\(columns)", "LC_ALL=C.UTF-8", Built.path("wirehook")] + words
            + ["--config", host.configFile])
        #expect(result.exitCode == 0, "\(result)")
        guard words != ["stats"] || columns >= 100 else { continue }
        for line in result.stdout.split(separator: "\n") { #expect(line.count <= columns, "\(line)") }
      }
    }
  }

  @Test func coloursAreForTerminalsOrOnRequest() throws {
    try Sandbox.with { host in
      _ = try host.started("web")
      #expect(try !host.wirehook("ls").stdout.contains("\u{1b}"))
      #expect(try host.wirehook("ls", "--color", "always").stdout.contains("\u{1b}[32mattached\u{1b}[0m"))
      // script(1) gives it a terminal.
      let program = try "\(Built.path("wirehook")) ls --config \(host.configFile)"
      let onTerminal = ["script", "-qec", program, "/dev/null"]
      let shown = try host.run(["env", "-u", "NO_COLOR"] + onTerminal)
      #expect(shown.stdout.contains("\u{1b}[32m"), "\(shown)")
      #expect(try !host.run(["env", "NO_COLOR=1"] + onTerminal).stdout.contains("\u{1b}[32m"))
    }
  }

  @Test func aMisspeltContainerIsOffered() throws {
    try Sandbox.with { host in
      _ = try host.started("database")
      let result = try host.wirehook("inspect", "databse")
      #expect(result.exitCode == 1 && result.stderr.contains("did you mean \"database\"?"), "\(result)")
    }
  }
}
