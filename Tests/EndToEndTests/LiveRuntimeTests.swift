import Foundation
import Support
import Testing

/// Containers of real runtimes and of Podman, found by their names while they run.
@Suite struct LiveRuntimeTests {
  @Test(arguments: Runtime.allCases.filter { $0.isThere }) func aPlainRuntimesContainerIsFoundByItsId(
    runtime: Runtime
  ) throws {
    try Sandbox.with { host in
      let web = try host.realContainer("web-1", runtime, hooks: [:])
      try web.start()
      // Where the runtime keeps its files; on a host that is not a test's it is /run.
      let words = ["env", "XDG_RUNTIME_DIR=\(host.folder)", try Built.path("wirehook")]
      let made = try host.run(words + ["attach", "web-1", "--ports", "8080:80", "--config", host.configFile])
      #expect(made.succeeded, "\(made)")
      try web.serve(80)
      #expect(try host.outside.ask(Sandbox.address4, 8080).server == "web-1")
      #expect(try host.list().first?["pid"].int == web.pid.map { Int($0) })
      let misspelt = try host.run(words + ["attach", "web-2", "--config", host.configFile])
      #expect(misspelt.exitCode == 1 && misspelt.stderr.contains("no running container of that id or name"))
      #expect(try host.wirehook("detach", "web-1").succeeded)
      #expect(try web.links() == ["lo"])
    }
  }

  @Test(.enabled(if: Tool.podman.isThere && Runtime.runc.isThere, "needs podman and runc"))
  func aContainerOfPodmansIsFoundByItsName() throws {
    try Sandbox.with { host in
      let podman = try Podman(host, .hooksWithRunc)
      let web = try podman.run("pod-web", "--annotation", "wirehook.network=none")
      #expect(try web.links() == ["lo"])
      let made = try host.wirehook("attach", "pod-web", "--ports", "8080:80")
      #expect(made.succeeded, "\(made)")
      #expect(try host.outside.reaches("pod-web", Sandbox.address4, 8080))
      let entry = try host.list().first
      #expect(entry?["id"].string == web.id && entry?["name"].string == "pod-web")
      try podman.require("rm", "-f", "-t", "0", "pod-web")
      // The hook that Podman has takes back what it did not make.
      #expect(try eventually { try host.list().isEmpty })
    }
  }
}
