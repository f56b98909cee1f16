import Foundation
import Support
import Testing

/// Counters: whose they are, which way round, and what is there only on request.
@Suite(needsRoot) struct StatsTests {
  private func stats(_ host: Sandbox, _ id: String) throws -> JSON {
    let result = try host.wirehook("stats", id, "--json")
    guard result.succeeded else { throw Failure(result.description) }
    return try JSON(parsing: result.stdout)[0]
  }

  @Test func receivedAndSentAreTheContainersView() throws {
    try Sandbox.with { host in
      let web = try host.started("web")
      let before = try stats(host, "web")["interfaces"][0]
      #expect(before["name"].string == "eth0" && before["network"].string == "front")
      // 20 packets of 1,000 bytes that nobody answers.
      try web.sh("ip neigh replace 10.210.4.77 lladdr 02:00:00:00:00:77 dev eth0")
      _ = try web.run(["ping", "-c", "20", "-i", "0.01", "-s", "972", "-W", "1", "10.210.4.77"])
      let after = try stats(host, "web")["interfaces"][0]
      let difference = { (key: String) in (after[key]["bytes"].int ?? 0) - (before[key]["bytes"].int ?? 0) }
      #expect(difference("sent") >= 20_000)
      #expect(difference("received") < 10_000)
      let kernel = try web.json("-s link show dev eth0")[0]["stats64"]
      #expect(try #require(after["sent"]["packets"].int) <= (kernel["tx"]["packets"].int ?? 0))
    }
  }

  @Test func portsAreCountedOnRequestAndTheTableGoesAgain() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80,8081:80"])
      try web.serve(80)
      let rules = try host.sh("nft list ruleset")
      #expect(try stats(host, "web")["ports"][0]["received"] == .null)
      #expect(try host.wirehook("stats", "--ports", "on").exitCode == 0)
      #expect(try stats(host, "web")["ports"][0]["received"]["packets"].int == 0)
      // From outside, over both families, and from the host itself.
      for address in ["192.168.77.1", "fd77::1"] {
        #expect(try host.outside.ask(address, 8080).server == "web")
      }
      #expect(try host.ask("127.0.0.1", 8080).server == "web")
      // Started after they were switched on.
      let late = try host.started("late", ["wirehook.ports": "8082:80"])
      try late.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8082).server == "late")
      let ports = try stats(host, "web")["ports"].array
      let first = try #require(ports.first { $0["hostPort"].int == 8080 })
      #expect(try #require(first["received"]["packets"].int) >= 9, "\(first.text)")
      #expect(try #require(first["sent"]["bytes"].int) > 0, "\(first.text)")
      let second = try #require(ports.first { $0["hostPort"].int == 8081 })
      #expect(second["received"]["packets"].int == 0 && second["sent"]["packets"].int == 0)
      #expect(try #require(stats(host, "late")["ports"][0]["received"]["bytes"].int) > 0)
      let table = try host.wirehook("stats").stdout
      #expect(table.contains("8080->80/tcp") && table.contains("PACKETS IN"), "\(table)")
      try host.stop(late)
      #expect(try host.wirehook("stats", "--ports", "off").exitCode == 0)
      #expect(try host.wirehook("stats", "--ports", "off").exitCode == 0)
      #expect(try host.sh("nft list ruleset") == rules)
    }
  }

  @Test func aTransferIsCountedOncePerPacket() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.wirehook("stats", "--ports", "on").exitCode == 0)
      let before = try stats(host, "web")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      let after = try stats(host, "web")
      for way in ["received", "sent"] {
        let link =
          (after["interfaces"][0][way]["packets"].int ?? 0) - (before["interfaces"][0][way]["packets"].int ?? 0)
        let port = try #require(after["ports"][0][way]["packets"].int)
        // Neighbour discovery goes by the link alone.
        #expect(port > 0 && port <= link, "\(way): \(port) of \(link)")
      }
    }
  }

  @Test func watchingShowsRates() throws {
    try Sandbox.with { host in
      _ = try host.started("web")
      var command = try Command([
        "nsenter", "--net=\(host.netns)", "--", Built.path("wirehook"), "stats", "--watch", "--interval", "0.1",
        "--config", host.configFile,
      ])
      command.limit = .seconds(1)
      let shown = try command.run().stdout
      #expect(shown.contains("RATE IN") && shown.contains("0 bit/s"), "\(shown)")
    }
  }

  @Test func metricsAreWhatPrometheusReads() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "tiny", #"{"subnets": [{"subnet": "10.210.9.0/29", "exclude": ["10.210.9.2", "10.210.9.1"]}]}"#)
      let web = try host.started("web", ["wirehook.ports": "8080:80", "wirehook.network": "tiny"])
      try web.serve(80)
      #expect(try host.wirehook("stats", "--ports", "on").exitCode == 0)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      let result = try host.wirehook("metrics")
      #expect(result.exitCode == 0, "\(result)")
      for line in [
        #"wirehook_containers{status="attached"} 1"#, #"wirehook_containers{status="gone"} 0"#,
        #"wirehook_published_ports{container="web",id="web"} 1"#,
        #"wirehook_pool_addresses{network="tiny",subnet="10.210.9.0/29"} 4"#,
        #"wirehook_pool_addresses_used{network="tiny",subnet="10.210.9.0/29"} 1"#,
        #"wirehook_network_up{network="tiny",bridge="wh-tiny"} 1"#,
      ] {
        #expect(result.stdout.contains(line + "\n"), "\(line) is not in \(result.stdout)")
      }
      #expect(
        result.stdout.contains(#"wirehook_interface_receive_bytes_total{container="web",id="web",interface="eth0""#))
      #expect(result.stdout.contains(#"wirehook_port_receive_bytes_total{container="web",id="web",protocol="tcp""#))
      try host.ip("link set wh-tiny down")
      #expect(try host.wirehook("metrics").stdout.contains(#"bridge="wh-tiny"} 0"#))
    }
  }

  @Test(.enabled(if: Tool.path("promtool") != nil, "needs promtool")) func promtoolHasNothingAgainstTheMetrics() throws
  {
    try Sandbox.with { host in
      _ = try host.started("we\"b\\", ["wirehook.ports": "8080:80"])
      #expect(try host.wirehook("stats", "--ports", "on").exitCode == 0)
      let metrics = try host.wirehook("metrics").stdout
      let checked = try host.run(["promtool", "check", "metrics"], input: Array(metrics.utf8))
      #expect(checked.exitCode == 0 && checked.stderr == "", "\(checked) \(metrics)")
    }
  }
}
