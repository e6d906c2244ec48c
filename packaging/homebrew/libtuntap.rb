# Not run yet: no Mac with Homebrew was at hand. Only its syntax is checked.
# SPDX-License-Identifier: MIT
# On a Mac, in a checkout: brew install --build-from-source --HEAD packaging/homebrew/libtuntap.rb
class Libtuntap < Formula
  desc "Create, configure and drive TUN and TAP network devices"
  homepage "https://example.org/libtuntap"
  license all_of: ["MIT", "Unicode-3.0", { "Apache-2.0" => { with: "LLVM-exception" } }]
  head "file://#{File.expand_path("../..", __dir__)}", using: :git, branch: "main"

  depends_on "python@3.13" => :build
  depends_on "rust" => :build

  def install
    places = ["PREFIX=#{prefix}", "DOCDIR=#{doc}", "MANDIR=#{man}"]
    system "make", *places
    system "make", "install", *places
  end

  test do
    (testpath/"test.c").write <<~C
      #include <stdio.h>
      #include <tuntap.h>
      int main(void) { return puts(tuntap_version()) < 0; }
    C
    system ENV.cc, "test.c", "-I#{include}", "-L#{lib}", "-ltuntap", "-Wl,-rpath,#{lib}", "-o", "test"
    assert_match(/\A\d+\.\d+\.\d+\n\z/, shell_output("./test"))
  end
end
