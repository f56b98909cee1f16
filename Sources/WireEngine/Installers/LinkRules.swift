/// Drop-ins that keep a host's own network services away from links that belong to containers.
enum LinkRules {
  /// One file, and the folder without which nobody would read it.
  struct File {
    let path: String
    let reader: String
    let text: String
  }

  // Host ends of pairs and bridges of networks begin with "wh"; shapers are "wi" and twelve letters.
  static let files = [
    File(
      path: "/etc/udev/rules.d/60-wirehook.rules", reader: "/etc/udev",
      text: """
        # Links of wirehook's: NetworkManager leaves them alone also where it has not read its own drop-in.
        SUBSYSTEM=="net", ENV{INTERFACE}=="wh*|wi????????????|wirehook0", ENV{NM_UNMANAGED}="1"

        """),
    File(
      path: "/etc/systemd/network/10-wirehook.link", reader: "/etc/systemd",
      text: """
        # Links of wirehook's keep their names and addresses.
        [Match]
        OriginalName=wh* wi???????????? wirehook0

        [Link]
        NamePolicy=keep
        MACAddressPolicy=none

        """),
    File(
      path: "/etc/systemd/network/10-wirehook.network", reader: "/etc/systemd",
      text: """
        # Links of wirehook's are no business of systemd-networkd's.
        [Match]
        Name=wh* wi???????????? wirehook0

        [Link]
        Unmanaged=yes

        """),
    File(
      path: "/etc/NetworkManager/conf.d/90-wirehook.conf", reader: "/etc/NetworkManager",
      text: """
        # Links of wirehook's are no business of NetworkManager's.
        [keyfile]
        unmanaged-devices+=interface-name:wh*;interface-name:wi????????????;interface-name:wirehook0

        """),
  ]
}
