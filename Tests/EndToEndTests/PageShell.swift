import Foundation
import Support

/// A shell on a pretend host that has a /etc, /usr/local, /var/lib and /run of its own, with wirehook installed as
/// install.sh does it: so that what a page says can be typed as it stands there.
struct PageShell {
  let host: Sandbox

  init(_ host: Sandbox) { self.host = host }

  struct Result {
    var succeeded: Bool
    /// What each block printed, to its standard output and error; of a block that failed too, and none after it.
    var outputs: [String]
  }

  /// Types the blocks into one shell, up to the first command that fails.
  func type(_ blocks: [String], withContainer: Bool) throws -> Result {
    let mark = "== the next block =="
    let script = setup + (withContainer ? container : "") + blocks.map { "echo '\(mark)'\n\($0)\n" }.joined()
    let file = "\(host.folder)/page.sh"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    let environment = ["-u", "WIREHOOK_CONFIG", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    let shell = "exec bash -e \(file) >\(host.folder)/page.out 2>&1"
    let result = try host.run(["env"] + environment + ["unshare", "-m", "sh", "-c", shell], limit: .seconds(60))
    let output = (try? String(contentsOfFile: "\(host.folder)/page.out", encoding: .utf8)) ?? ""
    var parts = output.components(separatedBy: "\(mark)\n")
    let before = parts.removeFirst()
    if parts.isEmpty { throw Failure("the host of the page was not made: \(before)\(result)") }
    return Result(succeeded: result.succeeded, outputs: parts)
  }

  /// What is written goes to memory, and with the shell. `sudo` is somebody who is root already.
  private var setup: String {
    """
    mount --make-rprivate /
    mkdir -p \(host.folder)/own && mount -t tmpfs tmpfs \(host.folder)/own && cd \(host.folder)/own
    for folder in /etc /usr/local /var/lib; do
      mkdir -p upper$folder work$folder
      mount -t overlay -o lowerdir=$folder,upperdir=upper$folder,workdir=work$folder overlay $folder
    done
    mount -t tmpfs tmpfs /run
    rm -rf /etc/wirehook
    printf '#!/bin/sh\\nexec "$@"\\n' >/usr/local/bin/sudo && chmod +x /usr/local/bin/sudo
    (cd \(Built.root) && ./install.sh --no-build)
    mkdir here && cd here
    mkdir -p bundle/rootfs/bin bundle/rootfs/www
    cp "$(command -v busybox)" bundle/rootfs/bin/busybox
    echo 'Hello from a container.' >bundle/rootfs/www/index.html
    for tool in sh ip ping httpd sleep; do ln -s busybox bundle/rootfs/bin/$tool; done
    tar -C bundle/rootfs -cf rootfs.tar .
    runc spec --bundle bundle
    jq '.process.terminal = false | .process.args = ["httpd", "-f", "-p", "80", "-h", "/www"] | del(.process.rlimits)
      | .annotations = {"wirehook.ports": "8080:80"}' bundle/config.json >config.new && mv config.new bundle/config.json
    trap 'for id in $(runc list -q); do runc delete --force $id; done' EXIT

    """
  }

  private var container: String {
    """
    wirehook inject bundle
    runc run -d --bundle bundle web </dev/null >web.log 2>&1

    """
  }
}
