def test_boot(site):
    pass
